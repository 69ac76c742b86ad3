/** Dropping tokens from a past, against computing what is left. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OptionError, UnsupportedModelError } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomGroupedConfig, randomLatentConfig, randomModel } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { Lab, type Run, sameBits } from './lab.ts'
import { loadTales } from './tales.ts'

const YARN = { type: 'yarn', factor: 4, original_max_position_embeddings: 32, mscale: 1, mscale_all_dim: 1 }
const NO_WINDOW = { use_sliding_window: false }
/** One layer: its rows know only their own token and position, so that moving them is exact but for rounding. */
const CONFIGS = {
  latent: { ...randomLatentConfig(new Rng(5)), rope_scaling: null },
  'latent with YaRN': { ...randomLatentConfig(new Rng(6)), rope_scaling: YARN },
  grouped: { ...randomGroupedConfig(new Rng(7)), ...NO_WINDOW },
}

function largestDifference(a: Run, b: Run): number {
  const [x, y] = [a.rows[0] as Float32Array, b.rows[0] as Float32Array]
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - (y[i] as number)) / (1 + Math.abs(value))), 0)
}

for (const { name, make, missing } of KERNEL_SETS) {
  describe.skipIf(missing)(`dropped tokens on ${name} kernels`, () => {
    let kernels: Kernels
    beforeAll(async () => {
      kernels = await make({ threads: 1 })
    })
    afterAll(() => kernels.dispose())
    const ids = (model: Model, n: number, seed: number) => {
      const draw = new Rng(seed)
      return Array.from({ length: n }, () => draw.below(model.config.vocabSize))
    }
    it.each([
      ['f16/f32', 2e-5],
      ['int8/f32', 1e-4],
      ['fp8_ds_mla', 0.02],
    ] as const)('turn the rope keys of rows of %s', async (cacheType, tolerance) => {
      const config = { ...CONFIGS.latent, num_hidden_layers: 1 }
      const model = await randomModel(kernels, config, 1, { blockTokens: 16, cacheType })
      const lab = new Lab(model, kernels)
      const past = ids(model, 60, 8)
      const timeline = lab.sharing()
      await lab.run(timeline, past, { maxTokens: 0 })
      await timeline.drop(9, 30)
      const more = [...past.slice(0, 9), ...past.slice(30), ...ids(model, 3, 9)]
      const edited = await lab.run(timeline, more, { maxTokens: 1, path: 'absorbed' })
      expect(edited.usage.cachedTokens).toBe(39)
      const anew = lab.timeline()
      const cold = await lab.run(anew, more, { maxTokens: 1, path: 'absorbed' })
      expect(largestDifference(edited, cold)).toBeLessThan(tolerance)
      anew.dispose()
      timeline.dispose()
      model.dispose()
    })

    for (const [kind, config] of Object.entries(CONFIGS)) {
      it(`leave what a prompt of the rest would have computed, in a layer of its own (${kind})`, async () => {
        const model = await randomModel(kernels, { ...config, num_hidden_layers: 1 }, 1, {
          blockTokens: 16,
          cacheType: 'f32',
        })
        const lab = new Lab(model, kernels)
        for (const [from, to] of [
          [0, 1],
          [5, 9],
          [16, 48],
          [40, 77],
          [0, 90],
          [30, 100],
        ] as const) {
          const past = ids(model, 100, 8)
          const timeline = lab.sharing()
          await lab.run(timeline, past, { maxTokens: 0 })
          await timeline.drop(from, to)
          const rest = [...past.slice(0, from), ...past.slice(to)]
          expect(timeline.tokens).toEqual(rest)
          expect(timeline.cache.length).toBe(rest.length)
          const more = [...rest, ...ids(model, 7, 9)]
          const edited = await lab.run(timeline, more, { maxTokens: 1, path: 'absorbed' })
          expect(edited.usage.cachedTokens).toBe(rest.length)
          const anew = lab.timeline()
          const cold = await lab.run(anew, more, { maxTokens: 1, path: 'absorbed' })
          anew.dispose()
          expect(largestDifference(edited, cold), `${from} to ${to}`).toBeLessThan(2e-5)
          timeline.dispose()
        }
        expect(model.pool.bytes).toBe(0)
        model.dispose()
      })
    }

    it('are shared with nobody, and strict computes them again', async () => {
      const model = await randomModel(kernels, { ...CONFIGS.latent, num_hidden_layers: 2 }, 1, { blockTokens: 16 })
      const lab = new Lab(model, kernels)
      const past = ids(model, 100, 10)
      const [original, timeline] = [lab.sharing(), lab.sharing()]
      await lab.run(original, past, { maxTokens: 0 })
      await lab.run(timeline, past, { maxTokens: 0 })
      await timeline.drop(20, 30)
      const rest = [...past.slice(0, 20), ...past.slice(30), ...ids(model, 30, 11)]
      const near = await lab.run(timeline, rest, { maxTokens: 2 })
      expect(near.usage.cachedTokens).toBe(90)
      const cold = await lab.run(lab.timeline(), rest, { maxTokens: 2 })
      // The rows still know of what is gone.
      expect(largestDifference(near, cold)).toBeGreaterThan(1e-4)
      // Another session finds the rows before the cut, those of the original.
      const other = await lab.run(lab.sharing(), rest, { maxTokens: 2 })
      expect(other.usage.cachedTokens).toBe(20)
      expect(sameBits(other, cold)).toBe(true)
      expect(sameBits(await lab.run(timeline, rest, { maxTokens: 2, strict: true }), cold)).toBe(true)
      // The original has noticed nothing.
      const again = await lab.run(original, [...past, 1, 2], { maxTokens: 2 })
      expect(again.usage.cachedTokens).toBe(100)
      expect(sameBits(again, await lab.run(lab.timeline(), [...past, 1, 2], { maxTokens: 2 }))).toBe(true)
      model.dispose()
    })

    it('can be the end of the past, which is then exact', async () => {
      const model = await randomModel(kernels, { ...CONFIGS.latent, num_hidden_layers: 2 }, 1, { blockTokens: 16 })
      const lab = new Lab(model, kernels)
      const timeline = lab.timeline()
      const past = ids(model, 60, 12)
      await lab.run(timeline, past, { maxTokens: 9 })
      await timeline.drop(40, timeline.tokens.length)
      const more = [...past.slice(0, 40), 3, 4]
      const run = await lab.run(timeline, more)
      expect(run.usage.cachedTokens).toBe(40)
      expect(sameBits(run, await lab.run(lab.timeline(), more))).toBe(true)
      model.dispose()
    })

    it('cannot be dropped where positions are learned or a window has passed', async () => {
      const window = { use_sliding_window: true, sliding_window: 20, max_window_layers: 1 }
      const windowed = await randomModel(kernels, { ...CONFIGS.grouped, ...window }, 1, { blockTokens: 16 })
      const lab = new Lab(windowed, kernels)
      const timeline = lab.timeline()
      await lab.run(timeline, ids(windowed, 60, 13), { maxTokens: 0 })
      await expect(timeline.drop(4, 20)).rejects.toThrow(OptionError)
      expect(timeline.cache.length).toBe(60)
      windowed.dispose()

      const gpt2 = { model_type: 'gpt2', vocab_size: 40, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 64 }
      const learned = await randomModel(kernels, gpt2, 1)
      const other = new Lab(learned, kernels)
      const past = other.timeline(64)
      await other.run(past, ids(learned, 30, 14), { maxTokens: 0 })
      await expect(past.drop(4, 20)).rejects.toThrow(UnsupportedModelError)
      expect([past.tokens.length, past.cache.length]).toEqual([30, 30])
      learned.dispose()
    })

    it('make room in a context that rolls', async () => {
      const model = await randomModel(kernels, { ...CONFIGS.latent, num_hidden_layers: 2 }, 1, { blockTokens: 16 })
      const lab = new Lab(model, kernels)
      const timeline = lab.timeline(64)
      const prompt = ids(model, 50, 15)
      const rolling = { keep: 4, count: 20, shift: (...args: Parameters<Model['shift']>) => model.shift(...args) }
      const run = await lab.run(timeline, prompt, { maxTokens: 100, rolling })
      expect(run.finishReason).toBe('length')
      expect(run.tokenIds).toHaveLength(100)
      // 150 tokens, of which five times 20 have rolled out.
      expect(timeline.tokens).toEqual([...prompt.slice(0, 4), ...[...prompt, ...run.tokenIds].slice(104)])
      expect(timeline.cache.length).toBe(50)
      // Until the first roll it is the text without one.
      const plain = await lab.run(lab.timeline(64), prompt, { maxTokens: 14 })
      expect(run.tokenIds.slice(0, 14)).toEqual(plain.tokenIds)
      model.dispose()
    })
  })
}

describe('sessions that forget', () => {
  it('drop a range of their tokens and go on', async () => {
    const engine = await loadTales()
    const session = engine.session()
    await session.prompt('Once upon a time, there was a little girl named Lily. She had a dog. ', { maxTokens: 0 })
    const before = [...session.tokens]
    await session.drop(3, 9)
    expect(session.tokens).toEqual([...before.slice(0, 3), ...before.slice(9)])
    expect(session.cache.tokens).toBe(before.length - 6)
    const { usage } = await session.prompt('The dog', { maxTokens: 4, temperature: 0 })
    expect(usage.cachedTokens).toBe(before.length - 6)
    await expect(session.drop(5, 2)).rejects.toThrow(OptionError)
    await expect(session.drop(0, 1000)).rejects.toThrow(/tokens 0 to 1000 of \d+ cannot be dropped/)
    await engine.dispose()
  })

  it('roll on without end, over prompts as well', async () => {
    const engine = await loadTales()
    expect(() => engine.session({ contextLength: 40, rolling: { keep: 30, drop: 10 } })).toThrow(OptionError)
    const session = engine.session({ contextLength: 48, rolling: {} })
    const first = await session.prompt('Once upon a time, there was a fox.', {
      maxTokens: 200,
      temperature: 0,
      ignoreEos: true,
    })
    expect([first.finishReason, first.tokenIds.length]).toEqual(['length', 200])
    for (let i = 0; i < 5; i++) {
      const { finishReason } = await session.prompt(' Then there came a bear and said: "Hello, fox!"', { maxTokens: 9 })
      expect(['length', 'stop']).toContain(finishReason)
      expect(session.tokens.length).toBeLessThanOrEqual(49)
      expect(session.cache.tokens).toBeLessThanOrEqual(48)
    }
    await engine.dispose()
  })
})
