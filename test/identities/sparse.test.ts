/**
 * Models whose queries choose their keys: how a prompt is cut, what stands beside it and how many threads compute it change no bit, and where
 * all keys are chosen the bits are those of the model without an indexer.
 */
import { describe, expect, it } from 'vitest'
import type { Model } from '../../src/model/model.ts'
import type { AttentionPath } from '../../src/nn/attention/path.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomLatentConfig, randomModel } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

const rng = new Rng('sparse')
const dense: Record<string, unknown> = { ...randomLatentConfig(rng), num_hidden_layers: 3, q_lora_rank: 17 }
const INDEXER = { index_n_heads: 6, index_head_dim: 20, index_topk: 20, qk_rope_head_dim: 8 }
const sparse = { ...dense, ...INDEXER, model_type: 'glm_moe_dsa', indexer_types: ['full', 'shared', 'full'] }
const { vocab_size } = dense as { vocab_size?: unknown }
const tokens = Array.from({ length: 300 }, () => rng.below(vocab_size as number))

for (const { name, make, missing } of KERNEL_SETS.filter(set => set.name !== 'reference')) {
  describe.skipIf(missing !== null)(`${name}${missing ? ` (${missing})` : ''}`, () => {
    const withModel = async (config: object, run: (model: Model) => Promise<void>, threads = 2) => {
      const kernels = await make({ threads })
      try {
        const model = await randomModel(kernels, { ...config }, 3, { blockTokens: 32, cacheType: 'f16' })
        await run(model)
        model.dispose()
      } finally {
        kernels.dispose()
      }
    }

    it('chunked = whole = token by token = beside another text', () =>
      withModel(sparse, async model => {
        const whole = await prefill(model, tokens, [300])
        expect(await prefill(model, tokens, [1, 70, 128, 92, ...Array(9).fill(1)])).toEqual(whole)
        const other = model.sequence(400)
        const one = model.sequence(400)
        const both = await model.forward([
          { tokens: tokens.slice(7, 90), cache: other, prompt: { start: 0, end: 83 }, logits: 'none' },
          { tokens, cache: one, prompt: { start: 0, end: 300 }, logits: 'last' },
        ])
        expect(Array.from((await model.kernels.memory.read(both)) as Float32Array)).toEqual(whole)
        other.dispose()
        one.dispose()
      }))

    it('any number of threads', async () => {
      const results: number[][] = []
      for (const threads of [1, 2, 3]) {
        await withModel(sparse, async model => void results.push(await prefill(model, tokens, [290, 10])), threads)
      }
      expect(results[1]).toEqual(results[0])
      expect(results[2]).toEqual(results[0])
    })

    it('what is chosen counts', () =>
      withModel(sparse, async model => {
        const few = await prefill(model, tokens, [300])
        await withModel({ ...sparse, index_topk: 19 }, async other => {
          expect(await prefill(other, tokens, [300])).not.toEqual(few)
        })
      }))

    for (const path of ['absorbed', 'expanded'] as const) {
      it(`${path}: with all keys chosen, the bits of the model without an indexer`, async () => {
        const results: number[][] = []
        // 300: scored and chosen, all of them; 4096: not even scored.
        for (const index_topk of [300, 4096]) {
          const config = { ...sparse, index_topk }
          await withModel(config, async model => void results.push(await prefill(model, tokens, [200, 100], path)))
        }
        const { indexer_types: _, ...plain } = { ...sparse, model_type: 'deepseek_v3', rms_norm_eps: 1e-5 }
        const without = Object.fromEntries(Object.entries(plain).filter(([key]) => !key.startsWith('index_')))
        await withModel({ ...without, topk_method: 'noaux_tc' }, async model => {
          results.push(await prefill(model, tokens, [200, 100], path))
        })
        expect(results[1]).toEqual(results[0])
        expect(results[2]).toEqual(results[0])
      })
    }
  })
}

/** Logits after the last token, the prompt cut as told. */
async function prefill(model: Model, all: readonly number[], cuts: readonly number[], path?: AttentionPath) {
  const cache = model.sequence(400)
  let last: number[] = []
  for (const n of cuts) {
    const chunk = all.slice(cache.length, cache.length + n)
    const input = {
      tokens: chunk,
      cache,
      prompt: { start: 0, end: all.length },
      logits: 'last',
      ...(path && { path }),
    } as const
    last = Array.from((await model.kernels.memory.read(await model.forward([input]))) as Float32Array)
  }
  cache.dispose()
  return last
}
