import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StepLoop } from '../../src/engine/loop/step-loop.ts'
import { createEnginePast } from '../../src/engine/past/engine-past.ts'
import { Timeline } from '../../src/engine/past/timeline.ts'
import { BeamRun } from '../../src/engine/prompt/beam-run.ts'
import { Outbox } from '../../src/engine/wire/outbox.ts'
import type { Engine, KernelChoice } from '../../src/index.ts'
import { BeamSearch } from '../../src/sampling/beam-search.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomLatentConfig, randomModel } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { FAST_KERNELS, loadTales } from './tales.ts'

interface Found {
  readonly prompt: string
  readonly prompt_ids: readonly number[]
  readonly num_beams: number
  readonly max_new_tokens: number
  readonly length_penalty: number
  readonly early_stopping: boolean
  readonly texts: readonly { readonly ids: readonly number[]; readonly ended: boolean; readonly score: number | null }[]
}

/** Made by test/interop/make_beams.py. */
const { found: FOUND } = JSON.parse(readFileSync('test/fixtures/beams/tales.json', 'utf8')) as { found: Found[] }

for (const { name, missing } of FAST_KERNELS) {
  describe.skipIf(missing)(`beam search on ${name} kernels finds what transformers finds`, () => {
    let engine: Engine
    beforeAll(async () => {
      engine = await loadTales({ kernels: name as KernelChoice, cacheType: 'f32' })
    })
    afterAll(() => engine.dispose())

    // The slower sets see fewer cases: what differs between sets is not the search.
    it.each(name === 'native' ? FOUND : FOUND.slice(0, 3))(
      '$prompt: $num_beams beams, $max_new_tokens tokens, penalty $length_penalty',
      async one => {
        const session = engine.session()
        const beams = {
          width: one.num_beams,
          lengthPenalty: one.length_penalty,
          earlyStopping: one.early_stopping,
        }
        const result = await session.prompt(one.prompt, { maxTokens: one.max_new_tokens, beams })
        expect(result.usage.promptTokens).toBe(one.prompt_ids.length)
        expect(result.beams?.map(({ tokenIds }) => tokenIds)).toEqual(one.texts.map(({ ids }) => ids))
        for (const [i, { ended, score }] of one.texts.entries()) {
          expect(result.beams?.[i]?.finishReason).toBe(ended ? 'stop' : 'length')
          if (score !== null) expect(Math.abs((result.beams?.[i]?.score ?? 0) / score - 1)).toBeLessThan(1e-4)
        }
        expect(result.tokenIds).toEqual(one.texts[0]?.ids)
        // The session goes on with the best text, and holds exactly its rows.
        expect(session.tokens).toEqual([...one.prompt_ids, ...result.tokenIds])
        expect(session.cache.tokens).toBe(session.tokens.length)
        await session.dispose()
        expect((await engine.cacheStats()).bytes).toBe(0)
      },
    )
  })
}

describe('beam search in a session', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await loadTales()
  })
  afterAll(() => engine.dispose())

  it('goes on from what was there, streams the best text, and is gone on from', async () => {
    const session = engine.session()
    await session.prompt('Once upon a time', { temperature: 0, maxTokens: 10 })
    const before = [...session.tokens]
    const generation = session.prompt(' Then', { maxTokens: 12, beams: { width: 3 } })
    let text = ''
    for await (const chunk of generation) text += chunk.text
    const { beams, ...result } = await generation
    expect(text).toBe(result.text)
    expect(beams?.[0]).toMatchObject({ text, tokenIds: result.tokenIds })
    expect(beams).toHaveLength(3)
    expect(result.usage).toMatchObject({ cachedTokens: before.length })
    expect(session.tokens.slice(0, before.length)).toEqual(before)
    const next = await session.prompt(' And', { temperature: 0, maxTokens: 3 })
    expect(next.usage.cachedTokens).toBeGreaterThanOrEqual(session.tokens.length - 8)
    await session.dispose()
  })

  it('leaves the session as it was when it is aborted, and runs beside others', async () => {
    const session = engine.session()
    await session.prompt('Once upon a time', { temperature: 0, maxTokens: 10 })
    const before = [...session.tokens]
    const abort = new AbortController()
    const options = { maxTokens: 4000, ignoreEos: true, beams: { width: 2 }, signal: abort.signal }
    const search = session.prompt(' Then', options)
    const other = await engine.generate('The fox', { temperature: 0, maxTokens: 20 })
    expect(other.tokenIds).toEqual((await engine.generate('The fox', { temperature: 0, maxTokens: 20 })).tokenIds)
    abort.abort(new Error('enough'))
    await expect(search).rejects.toThrow('enough')
    expect(session.tokens).toEqual(before)
    await session.prompt('', { temperature: 0, maxTokens: 2 })
    expect(session.tokens.slice(0, -2)).toEqual(before)
    await session.dispose()
    expect((await engine.cacheStats()).bytes).toBe(0)
  })

  it('ends where the context does, and only reads where there is no room at all', async () => {
    const session = engine.session({ contextLength: 12 })
    const result = await session.prompt('Once upon a time', { ignoreEos: true, beams: { width: 2 } })
    expect(result.finishReason).toBe('context')
    expect(session.tokens).toHaveLength(12)
    const none = await session.prompt('', { beams: { width: 2 } })
    expect(none).toMatchObject({ text: '', tokenIds: [], finishReason: 'context', beams: [] })
    await session.dispose()
  })

  it('refuses what it cannot do', async () => {
    const ask = (options: object) => engine.generate('A', { beams: { width: 2 }, ...options })
    await expect(ask({ stopSequences: ['.'] })).rejects.toThrow(/stopSequences and beams were given/)
    await expect(ask({ beams: { width: 0 } })).rejects.toThrow(/beams.width is 0/)
    await expect(ask({ beams: { width: 2, lengthPenalty: 'x' } })).rejects.toThrow(/lengthPenalty is "x"/)
    expect((await engine.cacheStats()).bytes).toBe(0)
  })
})

describe('beams as forks', () => {
  for (const { name, make, missing } of KERNEL_SETS) {
    it.skipIf(missing)(`see the bits that each text alone would see: ${name}`, async () => {
      const kernels = await make({ threads: 1 })
      const model = await randomModel(kernels, randomLatentConfig(new Rng(5)), 1, { blockTokens: 16 })
      const rng = new Rng(8)
      const prompt = Array.from({ length: 30 }, () => rng.below(model.config.vocabSize))
      const options = { width: 3, maxTokens: 24, eos: new Set([1]), lengthPenalty: 1, earlyStopping: false }

      /** Everything computed anew for every beam. */
      const naive = async (ids: readonly number[]) => {
        const cache = model.sequence(100)
        const extent = { start: 0, end: prompt.length }
        let logits = await model.forward([{ tokens: prompt, cache, prompt: extent, logits: 'last' }])
        for (const id of ids) logits = await model.forward([{ tokens: [id], cache, prompt: null, logits: 'last' }])
        const row = ((await kernels.memory.read(logits)) as Float32Array).slice()
        cache.dispose()
        return row
      }
      const expected = new BeamSearch(options)
      while (!expected.done) {
        const rows: Float32Array[] = []
        for (const { ids } of expected.living) rows.push(await naive(ids))
        expected.advance(rows)
      }

      const now = () => performance.now()
      const outbox = new Outbox(() => {}, now)
      const pause = () => new Promise<void>(resolve => setImmediate(resolve))
      const loop = new StepLoop({ model, chunkSize: 20, aloneSize: 20, outbox, pause, now })
      const timeline = new Timeline(model.sequence(100), createEnginePast(model, null, model))
      const { extent } = timeline.anew(prompt)
      const search = new BeamSearch(options)
      const outcome = await new BeamRun({ loop, search, masks: null, timeline, prompt, extent, priority: 0, now }).run()
      expect(search.ended).toEqual(expected.ended)
      expect(outcome?.timeline.tokens).toEqual([...prompt, ...(search.ended[0]?.ids ?? [])])
      expect(outcome?.timeline.cache.length).toBe(outcome?.timeline.tokens.length)
      outcome?.timeline.dispose()
      expect(model.pool.bytes).toBe(0)
      model.dispose()
      kernels.dispose()
    })
  }
})
