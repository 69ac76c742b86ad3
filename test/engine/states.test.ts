/**
 * Layers that carry a state in place of keys: what shares, goes back, is dropped or given up computes what a text read at once
 * does, bit for bit.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine, type LoadOptions } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import type { Proposer } from '../../src/speculation/proposer.ts'
import { familyFolders } from '../support/all-fixtures.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomModelOf } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { Lab, sameBits } from './lab.ts'

/** Tokens of a block in the models here. */
const BLOCK = 16
/** In ../shared. */
const FIXTURE = familyFolders().get('lfm2')

for (const { name, make, missing } of KERNEL_SETS) {
  describe.skipIf(missing)(`sequences with states, ${name} kernels`, () => {
    let kernels: Kernels
    let model: Model
    let lab: Lab
    beforeAll(async () => {
      kernels = await make({ threads: 1 })
      model = await randomModelOf(kernels, 'convolution')
      lab = new Lab(model, kernels)
    })
    afterAll(() => {
      model.dispose()
      kernels.dispose()
    })
    const ids = (n: number, seed: number) => {
      const draw = new Rng(seed)
      return Array.from({ length: n }, () => draw.below(model.config.vocabSize))
    }
    const cold = (prompt: readonly number[], maxTokens = 4) => lab.run(lab.timeline(), prompt, { maxTokens })

    it('begin with what another has read, up to an end of a block', async () => {
      const prompt = ids(4 * BLOCK + 5, 1)
      await lab.run(lab.sharing(), prompt)
      const other = [...prompt.slice(0, 3 * BLOCK + 7), ...ids(9, 2)]
      const run = await lab.run(lab.sharing(), other)
      expect(run.usage.cachedTokens).toBe(3 * BLOCK)
      expect(sameBits(run, await cold(other))).toBe(true)
    })

    it('go back where a text is another one, and go on where it is the same', async () => {
      const prompt = ids(2 * BLOCK + 9, 3)
      const timeline = lab.sharing()
      const first = await lab.run(timeline, prompt, { maxTokens: 6 })
      const longer = [...prompt, ...first.tokenIds, ...ids(5, 4)]
      const next = await lab.run(timeline, longer, { maxTokens: 3 })
      expect(next.usage.cachedTokens).toBe(prompt.length + 5)
      expect(sameBits(next, await cold(longer, 3))).toBe(true)
      const edited = [...prompt.slice(0, 2 * BLOCK + 3), ...ids(6, 5)]
      const back = await lab.run(timeline, edited)
      expect(back.usage.cachedTokens).toBe(2 * BLOCK)
      expect(sameBits(back, await cold(edited))).toBe(true)
    })

    it('fork, and go on without new text, from the last token', async () => {
      const prompt = ids(BLOCK + 3, 6)
      const timeline = lab.timeline()
      const first = await lab.run(timeline, prompt, { maxTokens: 3 })
      const fork = timeline.fork()
      const whole = await cold(prompt, 8)
      for (const one of [timeline, fork]) {
        const more = await lab.run(one, one.tokens, { maxTokens: 5 })
        expect(more.usage.cachedTokens).toBe(prompt.length + 2)
        expect([...first.tokenIds, ...more.tokenIds]).toEqual(whole.tokenIds)
        expect(more.rows.at(-1)).toEqual(whole.rows.at(-1))
      }
    })

    it('read anew what follows dropped tokens', async () => {
      const prompt = ids(3 * BLOCK, 7)
      const timeline = lab.sharing()
      await lab.run(timeline, prompt, { maxTokens: 1 })
      await timeline.drop(5, 5 + BLOCK)
      const run = await lab.run(timeline, [...timeline.tokens])
      expect(sameBits(run, await cold([...timeline.tokens.slice(0, -4)]))).toBe(true)
    })

    it('take wrong guesses back', async () => {
      const prompt = ids(BLOCK - 3, 8)
      const plain = await cold(prompt, 40)
      const draw = new Rng(9)
      const proposer: Proposer = {
        most: 6,
        propose: async (tokens, count) =>
          plain.tokenIds
            .slice(tokens.length - prompt.length, tokens.length - prompt.length + count)
            .map(id => (draw.below(10) < 7 ? id : (id + 1) % model.config.vocabSize)),
      }
      const run = await lab.run(lab.timeline(), prompt, { maxTokens: 40, proposer })
      expect(sameBits(run, plain)).toBe(true)
      expect(run.usage.acceptedTokens).toBeGreaterThan(5)
      expect(run.usage.acceptedTokens).toBeLessThan(run.usage.draftTokens)
    })

    it('are not spoiled by a prompt that is given up between layers', async () => {
      const prompt = ids(2 * BLOCK + 1, 10)
      const timeline = lab.timeline()
      const first = await lab.run(timeline, prompt, { maxTokens: 2 })
      const longer = [...prompt, ...first.tokenIds, ...ids(BLOCK, 11)]
      lab.onLayer = () => {
        throw new Error('given up')
      }
      await expect(lab.run(timeline, longer)).rejects.toThrow('given up')
      lab.onLayer = () => {}
      const run = await lab.run(timeline, longer)
      expect(sameBits(run, await cold(longer))).toBe(true)
    })

    it('give all of their memory back', async () => {
      const timelines = [lab.timeline(), lab.timeline()]
      for (const [i, timeline] of timelines.entries()) await lab.run(timeline, ids(BLOCK + i, 12))
      const own = timelines.reduce((n, { cache }) => n + cache.bytes, 0)
      const [, states] = model.layout.groups
      // At rest each has one state, and the blocks of its rows.
      expect(own).toBe(2 * (states?.blockBytes ?? 0) + 4 * (model.layout.groups[0]?.blockBytes ?? 0))
      const before = model.pool.bytes
      for (const timeline of timelines) timeline.dispose()
      expect(before - model.pool.bytes).toBe(own)
    })

    // The reference would take a minute.
    it.skipIf(!FIXTURE || name === 'reference')(
      'go on in another engine: from a file, and from blocks on disk',
      async () => {
        const load = (options: LoadOptions = {}) =>
          Engine.load(FIXTURE as string, { inline: true, threads: 1, kernels: name, ...options } as LoadOptions)
        const prompt = ids(150, 13).map(id => 3 + (id % 200))
        const settings = { temperature: 0, ignoreEos: true, maxTokens: 12 } as const
        const folder = tempFolder()
        const here = await load({ cacheDir: join(folder, 'cache') })
        const session = here.session()
        const first = await session.prompt({ tokenIds: prompt }, settings)
        await session.save(join(folder, 'a.session'))
        const then = await session.prompt({ tokenIds: [] }, settings)
        await here.dispose()
        const there = await load({ cacheDir: join(folder, 'cache') })
        const twin = await there.restore(join(folder, 'a.session'))
        const again = await twin.prompt({ tokenIds: [] }, settings)
        expect([again.tokenIds, again.usage.cachedTokens]).toEqual([then.tokenIds, then.usage.cachedTokens])
        const warm = await there.generate({ tokenIds: prompt }, settings)
        expect([warm.tokenIds, warm.usage.cachedTokens]).toEqual([first.tokenIds, 128])
        await there.dispose()
      },
    )
  })
}
