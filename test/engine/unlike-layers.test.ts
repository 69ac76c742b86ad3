/**
 * Layers that read the keys of earlier ones, and experts whose result joins behind the next layer: what is shared, forked, batched or cut into
 * chunks computes what a text alone does, bit for bit.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomModel } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { Lab, sameBits } from './lab.ts'

const BLOCK = 16
const COMMON = { vocab_size: 60, hidden_size: 24, num_attention_heads: 4, max_position_embeddings: 512 }
const [S, F] = ['sliding_attention', 'full_attention']

const MODELS: Readonly<Record<string, Record<string, unknown>>> = {
  'keys of earlier layers': {
    ...COMMON,
    ...{ model_type: 'gemma4_text', num_hidden_layers: 6, layer_types: [S, F, S, F, S, F], num_kv_shared_layers: 3 },
    ...{ intermediate_size: 20, use_double_wide_mlp: true, num_key_value_heads: 2, head_dim: 8, global_head_dim: 12 },
    ...{
      sliding_window: 11,
      hidden_size_per_layer_input: 6,
      vocab_size_per_layer_input: 60,
      final_logit_softcapping: 3,
    },
  },
  'experts of the stream': {
    ...COMMON,
    ...{ model_type: 'gemma4_text', num_hidden_layers: 3, layer_types: [S, F, F], attention_k_eq_v: true },
    ...{
      intermediate_size: 20,
      num_key_value_heads: 4,
      num_global_key_value_heads: 1,
      head_dim: 8,
      global_head_dim: 12,
    },
    ...{ sliding_window: 11, hidden_size_per_layer_input: 0, enable_moe_block: true, num_experts: 5, top_k_experts: 2 },
    moe_intermediate_size: 7,
  },
  'experts beside two layers': {
    ...COMMON,
    ...{ model_type: 'longcat_flash', num_layers: 2, ffn_hidden_size: 20, expert_ffn_hidden_size: 10 },
    ...{ q_lora_rank: 10, kv_lora_rank: 12, qk_rope_head_dim: 4, qk_nope_head_dim: 6, v_head_dim: 6 },
    ...{ n_routed_experts: 3, zero_expert_num: 2, moe_topk: 3 },
  },
}

for (const { name, make, missing } of KERNEL_SETS) {
  for (const [what, config] of Object.entries(MODELS)) {
    describe.skipIf(missing)(`${what}, ${name} kernels`, () => {
      let kernels: Kernels
      let model: Model
      beforeAll(async () => {
        kernels = await make({ threads: 1 })
        model = await randomModel(kernels, config, 5, { blockTokens: BLOCK })
      })
      afterAll(() => {
        model.dispose()
        kernels.dispose()
      })
      const ids = (n: number, seed: number) => {
        const draw = new Rng(seed)
        return Array.from({ length: n }, () => draw.below(60))
      }

      it('a text has the bits of one that was read whole, alone and without a cache before it', async () => {
        const whole = new Lab(model, kernels)
        const cut = new Lab(model, kernels, 7)
        const prompt = ids(3 * BLOCK + 5, 1)
        const other = [...prompt.slice(0, 2 * BLOCK + 3), ...ids(9, 2)]
        const alone = await whole.run(whole.timeline(), prompt, { maxTokens: 12 })
        const expected = await whole.run(whole.timeline(), other, { maxTokens: 12 })
        expect(sameBits(await cut.run(cut.timeline(), prompt, { maxTokens: 12 }), alone)).toBe(true)
        const together = [prompt, other].map(text => whole.run(whole.sharing(), text, { maxTokens: 12 }))
        for (const [i, run] of (await Promise.all(together)).entries()) {
          expect(sameBits(run, [alone, expected][i] as typeof run)).toBe(true)
        }
        const shared = await whole.run(whole.sharing(), other, { maxTokens: 12 })
        expect(shared.usage.cachedTokens).toBeGreaterThanOrEqual(2 * BLOCK)
        expect(sameBits(shared, expected)).toBe(true)
      })

      it('a fork goes on as its text does', async () => {
        const lab = new Lab(model, kernels)
        const prompt = ids(BLOCK + 3, 6)
        const timeline = lab.timeline()
        const first = await lab.run(timeline, prompt, { maxTokens: 3 })
        const fork = timeline.fork()
        const whole = await lab.run(lab.timeline(), prompt, { maxTokens: 8 })
        for (const one of [timeline, fork]) {
          const more = await lab.run(one, one.tokens, { maxTokens: 5 })
          expect([...first.tokenIds, ...more.tokenIds]).toEqual(whole.tokenIds)
          expect(more.rows.at(-1)).toEqual(whole.rows.at(-1))
        }
      })
    })
  }
}
