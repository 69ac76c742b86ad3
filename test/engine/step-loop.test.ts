import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Timeline } from '../../src/engine/past/timeline.ts'
import { CacheFullError } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { MODEL_KINDS, randomLatentConfig, randomModel, randomModelOf } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { Lab, type Run, sameBits } from './lab.ts'

const CHUNKS = [1, 7, 100, 128, 200, 512]

for (const { name, make, missing } of KERNEL_SETS) {
  describe.skipIf(missing)(`steps on ${name} kernels`, () => {
    // The reference is slow by design; what is tested here is the loop around it.
    for (const kind of name === 'reference' ? MODEL_KINDS.slice(0, 1) : MODEL_KINDS) {
      describe(`${kind} attention`, () => {
        let kernels: Kernels
        let model: Model
        let ids: (n: number, seed: number) => number[]

        beforeAll(async () => {
          kernels = await make({ threads: 1 })
          model = await randomModelOf(kernels, kind)
          ids = (n, seed) => {
            const draw = new Rng(seed)
            return Array.from({ length: n }, () => draw.below(model.config.vocabSize))
          }
        })
        afterAll(() => {
          model.dispose()
          kernels.dispose()
        })

        // The last token that was drawn has no row where a state could not go back to before it.
        const left = kind === 'convolution' ? 1 : 0

        it('gives the same bits whatever the chunk size', async () => {
          const prompt = ids(300, 1)
          const whole = new Lab(model, kernels, 4096)
          const expected = await whole.run(whole.timeline(), prompt)
          expect(whole.steps[0]).toEqual([300])
          for (const chunk of CHUNKS) {
            const lab = new Lab(model, kernels, chunk)
            const run = await lab.run(lab.timeline(), prompt)
            expect(sameBits(run, expected), `chunks of ${chunk}`).toBe(true)
          }
        })

        it('gives a sequence the same bits alone and among others', async () => {
          const prompts = [ids(150, 2), ids(3, 3), ids(290, 4), ids(40, 5)]
          const alone: Run[] = []
          for (const prompt of prompts) {
            const lab = new Lab(model, kernels)
            alone.push(await lab.run(lab.timeline(), prompt, { maxTokens: 6 }))
          }
          const lab = new Lab(model, kernels, 200)
          const together = await Promise.all(prompts.map(p => lab.run(lab.timeline(), p, { maxTokens: 6 })))
          expect(lab.steps.some(step => step.length > 2)).toBe(true)
          together.forEach((run, i) => {
            expect(sameBits(run, alone[i] as Run), `sequence ${i}`).toBe(true)
          })
        })

        it('gives the same bits whatever the budget, the priorities, who comes when and who is aborted', async () => {
          const rng = new Rng(`company ${name} ${kind}`)
          const prompts = Array.from({ length: 5 }, (_, i) => ids(1 + rng.below(280), 50 + i))
          const alone: Run[] = []
          for (const prompt of prompts) {
            const lab = new Lab(model, kernels)
            alone.push(await lab.run(lab.timeline(), prompt, { maxTokens: 8 }))
          }
          for (let round = 0; round < (name === 'reference' ? 1 : 4); round++) {
            const lab = new Lab(model, kernels, 2 + rng.below(300))
            const aborted = ids(1500, 60 + round)
            const runs = prompts.map(async (prompt, i) => {
              for (let wait = rng.below(6); wait > 0; wait--) await new Promise(setImmediate)
              const priority = rng.below(4) - 2
              const abort = lab.run(lab.timeline(), [...aborted, i], {
                priority: rng.below(4) - 2,
                started: sequence => setImmediate(() => setImmediate(() => sequence.abort())),
              })
              const run = await lab.run(lab.timeline(), prompt, { maxTokens: 8, priority })
              expect(await abort).toMatchObject({ finishReason: 'aborted', tokenIds: [] })
              return run
            })
            for (const [i, run] of (await Promise.all(runs)).entries()) {
              expect(sameBits(run, alone[i] as Run), `round ${round}, sequence ${i}`).toBe(true)
            }
          }
        })

        it('goes on after a pause as if there had been none', async () => {
          const prompt = ids(250, 6)
          const lab = new Lab(model, kernels)
          const whole = await lab.run(lab.timeline(), prompt, { maxTokens: 20 })
          const timeline = lab.timeline()
          const first = await lab.run(timeline, prompt, { maxTokens: 6 })
          expect(timeline.cache.length).toBe(256 - left)
          const second = await lab.run(timeline, timeline.tokens, { maxTokens: 14 })
          expect(second.usage).toEqual({
            promptTokens: 256,
            cachedTokens: 255,
            completionTokens: 14,
            draftTokens: 0,
            acceptedTokens: 0,
          })
          expect(sameBits({ ...first, rows: [...first.rows, ...second.rows] }, whole)).toBe(true)
        })

        it('is warm what it is cold, for prompts that share a beginning and with strict for all', async () => {
          const lab = new Lab(model, kernels)
          const shared = ids(270, 7)
          const next = [...shared, ...ids(60, 8)]
          const cold = await lab.run(lab.timeline(), next)
          const warm = lab.timeline()
          await lab.run(warm, [...shared, ...ids(20, 9)])
          const run = await lab.run(warm, next)
          // Rows that a window has passed are freed, so that there is no way back; nor is there from a state.
          if (kind === 'windowed' || kind === 'convolution') expect(run.usage.cachedTokens).toBe(0)
          else expect(run.usage.cachedTokens).toBeGreaterThanOrEqual(256)
          expect(sameBits(run, cold)).toBe(true)

          // A conversation: its answer was generated, so only strict promises the bits.
          const answer = lab.timeline()
          await lab.run(answer, shared, { maxTokens: 50 })
          const long = [...answer.tokens, ...ids(70, 10)]
          const strict = await lab.run(answer, long, { strict: true })
          expect(sameBits(strict, await lab.run(lab.timeline(), long))).toBe(true)
        })

        it('is strict whatever happened before: every prompt as cold', async () => {
          const rng = new Rng(`${name} ${kind}`)
          const lab = new Lab(model, kernels, 100)
          const timeline = lab.timeline()
          const known: (readonly number[])[] = [ids(260, 20)]
          let reused = 0
          for (let round = 0; round < (name === 'reference' ? 4 : 12); round++) {
            const base = known[rng.below(known.length)] as readonly number[]
            const prompt = [...base.slice(0, 1 + rng.below(base.length)), ...ids(rng.below(150), 100 + round)]
            const maxTokens = rng.below(12)
            const stopAt = rng.below(3) === 0 ? 1 + rng.below(5) : 0
            const run = await lab.run(timeline, prompt, {
              maxTokens,
              strict: true,
              onToken: (count, sequence) => count === stopAt && sequence.abort(),
            })
            const cold = await lab.run(lab.timeline(), prompt, { maxTokens: run.rows.length })
            expect(sameBits(run, { ...cold, rows: cold.rows.slice(0, run.rows.length) }), `round ${round}`).toBe(true)
            reused += run.usage.cachedTokens
            known.push(timeline.tokens)
          }
          // A window lets nothing be taken back, nor does a state.
          if (kind !== 'windowed' && kind !== 'convolution') expect(reused).toBeGreaterThan(0)
        })

        it('is strict whatever other sessions did before: every prompt as cold', async () => {
          const rng = new Rng(`shared ${name} ${kind}`)
          const lab = new Lab(model, kernels, 100)
          const timelines = [lab.sharing(), lab.sharing(), lab.sharing()]
          const known: (readonly number[])[] = [ids(260, 30)]
          let reused = 0
          for (let round = 0; round < (name === 'reference' ? 4 : 16); round++) {
            const base = known[rng.below(known.length)] as readonly number[]
            const prompt = [...base.slice(0, 1 + rng.below(base.length)), ...ids(rng.below(120), 300 + round)]
            const which = rng.below(timelines.length)
            if (rng.below(3) === 0) timelines.splice(which, 1, lab.sharing())[0]?.dispose()
            const timeline = timelines[which] as Timeline
            const run = await lab.run(timeline, prompt, { maxTokens: 1 + rng.below(40), strict: round % 2 === 0 })
            if (round % 2 === 0) {
              const cold = await lab.run(lab.timeline(), prompt, { maxTokens: run.rows.length })
              expect(sameBits(run, cold), `round ${round}`).toBe(true)
              reused += run.usage.cachedTokens
            }
            known.push(timeline.tokens)
          }
          expect(reused).toBeGreaterThan(0)
          for (const timeline of timelines) timeline.dispose()
          expect(model.pool.keptBytes).toBeGreaterThan(0)
          model.pool.evictAll()
        })

        it('finds what another session has read, bit for bit', async () => {
          const lab = new Lab(model, kernels)
          const shared = ids(256, 40)
          const [a, b] = [lab.sharing(), lab.sharing()]
          await lab.run(a, [...shared, ...ids(30, 41)], { maxTokens: 3 })
          const held = model.pool.bytes
          const run = await lab.run(b, [...shared, ...ids(40, 42)], { maxTokens: 3 })
          expect(run.usage.cachedTokens).toBe(256)
          // Only the rest is new memory.
          if (kind === 'latent' || kind === 'grouped') {
            expect(model.pool.bytes - held).toBe(3 * 16 * model.layout.bytesPerToken)
          }
          expect(sameBits(run, await lab.run(lab.timeline(), [...shared, ...ids(40, 42)], { maxTokens: 3 }))).toBe(true)
          a.dispose()
          b.dispose()
          model.pool.evictAll()
        })

        it('forks generate on as the one that they came from', async () => {
          const lab = new Lab(model, kernels)
          const timeline = lab.sharing()
          await lab.run(timeline, ids(150, 43), { maxTokens: 5 })
          const held = model.pool.bytes
          const forks = [timeline.fork(), timeline.fork(), timeline.fork()]
          expect(model.pool.bytes).toBe(held)
          const runs = await Promise.all([timeline, ...forks].map(t => lab.run(t, t.tokens, { maxTokens: 20 })))
          for (const run of runs) expect(sameBits(run, runs[0] as Run)).toBe(true)
          const whole = await lab.run(lab.timeline(), ids(150, 43), { maxTokens: 25 })
          expect(runs[0]?.rows.at(-1)).toEqual(whole.rows.at(-1))
          for (const t of [timeline, ...forks]) t.dispose()
          model.pool.evictAll()
        })

        it('reuses an answer to rounding', async () => {
          const lab = new Lab(model, kernels)
          const timeline = lab.timeline()
          await lab.run(timeline, ids(200, 11), { maxTokens: 60 })
          const long = [...timeline.tokens, ...ids(130, 12)]
          const warm = await lab.run(timeline, long, { maxTokens: 1 })
          expect(warm.usage.cachedTokens).toBe(260 - left)
          const cold = await lab.run(lab.timeline(), long, { maxTokens: 1 })
          const [a, b] = [warm.rows[0] as Float32Array, cold.rows[0] as Float32Array]
          a.forEach((x, i) => {
            expect(Math.abs(x - (b[i] as number))).toBeLessThan(0.02 * (1 + Math.abs(x)))
          })
        })

        it('holds exactly the timeline after a text, and the cache counts it', async () => {
          const lab = new Lab(model, kernels)
          const timeline = lab.timeline()
          const { tokenIds } = await lab.run(timeline, ids(30, 13), { maxTokens: 5 })
          expect(timeline.tokens).toEqual([...ids(30, 13), ...tokenIds])
          expect(timeline.cache.length).toBe(35 - left)
          await lab.run(timeline, [...timeline.tokens, 1, 2], { maxTokens: 0 })
          expect(timeline.cache.length).toBe(37)
        })

        it('ends when the context is full, and not before', async () => {
          const lab = new Lab(model, kernels)
          const timeline = lab.timeline(40)
          const run = await lab.run(timeline, ids(30, 14), { maxTokens: 99 })
          expect(run.finishReason).toBe('context')
          expect(run.tokenIds).toHaveLength(10)
          expect(timeline.cache.length).toBe(40 - left)
          const again = await lab.run(timeline, timeline.tokens, { maxTokens: 99 })
          expect(again).toMatchObject({ finishReason: 'context', tokenIds: [] })
        })

        it('forgets a prompt that was aborted before its first token, but not its rows', async () => {
          const lab = new Lab(model, kernels, 128)
          const timeline = lab.timeline()
          await lab.run(timeline, ids(20, 15))
          const before = timeline.tokens
          const prompt = ids(400, 16)
          const steps = lab.steps.length
          const run = await lab.run(timeline, prompt, {
            started: sequence => {
              lab.onLayer = () => lab.steps.length > steps + 1 && sequence.abort()
            },
          })
          expect(run).toMatchObject({ finishReason: 'aborted', tokenIds: [] })
          expect(timeline.tokens).toEqual(before)
          lab.onLayer = () => {}
          const again = await lab.run(timeline, prompt)
          expect(again.usage.cachedTokens).toBeGreaterThan(0)
          expect(again.usage.cachedTokens).toBeLessThan(400)
          expect(sameBits(again, await lab.run(lab.timeline(), prompt))).toBe(true)
        })

        it('goes on from an aborted text', async () => {
          const lab = new Lab(model, kernels)
          const prompt = ids(140, 17)
          const whole = await lab.run(lab.timeline(), prompt, { maxTokens: 30 })
          const timeline = lab.timeline()
          const first = await lab.run(timeline, prompt, {
            maxTokens: 30,
            onToken: (count, sequence) => {
              if (count === 8) sequence.abort()
            },
          })
          expect(first.finishReason).toBe('aborted')
          const second = await lab.run(timeline, timeline.tokens, { maxTokens: 30 - first.tokenIds.length })
          expect([...first.tokenIds, ...second.tokenIds]).toEqual(whole.tokenIds)
          expect(sameBits({ ...whole, rows: [...first.rows, ...second.rows] }, whole)).toBe(true)
        })
      })
    }
  })
}

describe('a cache that is full', () => {
  it('ends the one that needs more; the others go on', async () => {
    const { createReferenceKernels } = await import('../../src/kernels/reference/index.ts')
    const kernels = createReferenceKernels()
    const config = randomLatentConfig(new Rng(3))
    const probe = await randomModel(kernels, config, 1, { blockTokens: 16 })
    const block = 16 * probe.layout.bytesPerToken
    const model = await randomModel(kernels, config, 1, { blockTokens: 16, cache: { maxBytes: 6 * block } })
    const lab = new Lab(model, kernels, 64)
    const ids = (n: number) => Array.from({ length: n }, (_, i) => i % 30)
    const small = [lab.timeline(), lab.timeline()]
    const large = lab.timeline()
    const runs = small.map(t => lab.run(t, ids(20), { maxTokens: 10 }))
    await expect(lab.run(large, ids(200))).rejects.toThrow(CacheFullError)
    for (const run of runs) expect((await run).finishReason).toBe('length')
    expect(large.tokens).toEqual([])
    // What it had taken is given back by the next prompt that fits.
    await lab.run(large, ids(20), { maxTokens: 2 })
    expect(large.cache.length).toBe(22)
    kernels.dispose()
  })

  it('gives its memory to the higher priority; the lower one goes on afterwards with the same bits', async () => {
    const { createReferenceKernels } = await import('../../src/kernels/reference/index.ts')
    const kernels = createReferenceKernels()
    const config = randomLatentConfig(new Rng(3))
    const probe = await randomModel(kernels, config, 1, { blockTokens: 16 })
    const cache = { maxBytes: 6 * 16 * probe.layout.bytesPerToken }
    const model = await randomModel(kernels, config, 1, { blockTokens: 16, cache })
    const ids = (n: number, seed: number) => Array.from({ length: n }, (_, i) => (i * seed) % 30)
    const cold = async (prompt: number[], maxTokens: number) => {
      const lab = new Lab(probe, kernels)
      return lab.run(lab.timeline(), prompt, { maxTokens })
    }
    const lab = new Lab(model, kernels, 64)
    const ended: string[] = []
    const run = async (name: string, prompt: number[], maxTokens: number, priority: number) => {
      const timeline = lab.timeline()
      const result = await lab.run(timeline, prompt, { maxTokens, priority })
      ended.push(name)
      timeline.dispose()
      return result
    }
    // Each fits alone, no two together.
    const low = run('low', ids(50, 7), 20, 0)
    for (let i = 0; i < 4; i++) await new Promise(setImmediate)
    const high = run('high', ids(60, 11), 10, 1)
    const results = await Promise.all([low, high])
    expect(ended).toEqual(['high', 'low'])
    expect(sameBits(results[0], await cold(ids(50, 7), 20))).toBe(true)
    expect(sameBits(results[1], await cold(ids(60, 11), 10))).toBe(true)

    // Of equal priority the first keeps what it has.
    ended.length = 0
    const first = run('first', ids(50, 7), 20, 1)
    for (let i = 0; i < 4; i++) await new Promise(setImmediate)
    await Promise.all([first, run('second', ids(60, 11), 10, 1)])
    expect(ended).toEqual(['first', 'second'])
    kernels.dispose()
  })
})
