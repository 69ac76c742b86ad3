/** Ropes in llama.cpp's files, which it reads by rules of its own: it multiplies cos and sin by a key *and* by 1 + 0.1 ln(factor), for one. */
import { expect, it } from 'vitest'
import { GgufKeys } from '../../src/checkpoint/gguf/keys.ts'
import { prepareGguf } from '../../src/conversion/gguf/convert.ts'
import { modelKeys } from '../../src/conversion/gguf/model-keys.ts'
import { addRopeKeys } from '../../src/conversion/gguf/rope-keys.ts'
import { readSourceModel } from '../../src/conversion/source-model.ts'
import { architectureFor } from '../../src/families/architectures.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { RandomCheckpoint, randomLatentConfig } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

const YARN = { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 16, attention_factor: 1.2 }
const QWEN3 = {
  ...{ vocab_size: 40, hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, max_position_embeddings: 128 },
  ...{ num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8, rms_norm_eps: 1e-5, rope_scaling: YARN },
  model_type: 'qwen3',
}

const opened = (config: Record<string, unknown>) => modelOf(new RandomCheckpoint(config, 1))

it('the key is what llama.cpp multiplies by besides', async () => {
  const keys = new GgufKeys('qwen3')
  addRopeKeys(keys, opened(QWEN3).config, {})
  const { value } = keys.entries.get('qwen3.rope.scaling.attn_factor') ?? {}
  expect(value).toBeCloseTo(1.2 / (1 + 0.1 * Math.log(8)), 6)
  // The keys are read again while they are written, and hold the same factor.
  expect(prepareGguf(await readSourceModel(opened(QWEN3)), {}).warnings).toEqual([])
})

it("DeepSeek's pair in grouped attention is the same key", async () => {
  const rope_scaling = { ...YARN, attention_factor: null, mscale: 0.7, mscale_all_dim: 1 }
  const { config } = opened({ ...QWEN3, rope_scaling })
  const keys = new GgufKeys('qwen3')
  addRopeKeys(keys, config, {})
  const ratio = (1 + 0.07 * Math.log(8)) / (1 + 0.1 * Math.log(8))
  expect(keys.entries.get('qwen3.rope.scaling.attn_factor')?.value).toBeCloseTo(ratio / (1 + 0.1 * Math.log(8)), 6)
})

const one = 1 + 0.1 * Math.log(8)
const LATENT = { ...randomLatentConfig(new Rng('yarn')), num_hidden_layers: 1, num_attention_heads: 2, q_lora_rank: 8 }
const INDEXER = {
  index_n_heads: 2,
  index_head_dim: 32,
  index_topk: 4,
  scoring_func: 'sigmoid',
  topk_method: 'noaux_tc',
}

it.each([
  ['deepseek_v3', {}, { attn_factor: 1.2, yarn_log_multiplier: (0.1 * (one / 1.2 - 1)) / (one - 1) }],
  ['deepseek_v3', { attention_factor: null }, { yarn_log_multiplier: 0.1 }],
  [
    'deepseek_v3',
    { attention_factor: null, mscale: 0, mscale_all_dim: 0 },
    { attn_factor: one, yarn_log_multiplier: (0.1 * (1 / one - 1)) / (one - 1) },
  ],
  ['deepseek_v3', { attention_factor: one }, {}],
  ['deepseek_v32', {}, { yarn_log_multiplier: (0.1 * (one / 1.2 - 1)) / (one - 1) }],
  ['glm_moe_dsa', { attention_factor: one }, {}],
])(
  '%s with %j: what llama.cpp stretches beside the rotated numbers comes of the same keys',
  async (type, rope, expected) => {
    const config = {
      ...LATENT,
      ...(type !== 'deepseek_v3' && INDEXER),
      model_type: type,
      rope_scaling: { ...YARN, mscale: 1, mscale_all_dim: 1, ...rope },
    }
    const source = await readSourceModel(opened(config))
    const keys = modelKeys(source.config, architectureFor(type), {})
    for (const name of ['attn_factor', 'yarn_log_multiplier']) {
      const { value } = keys.entries.get(`${keys.architecture}.rope.scaling.${name}`) ?? {}
      if (name in expected) expect(value, name).toBeCloseTo(expected[name as keyof typeof expected] as number, 6)
      else expect(value, name).toBeUndefined()
    }
    // The keys are read again while they are written, and mean the same.
    expect(() => prepareGguf(source, {})).not.toThrow()
  },
)

it('GLM-5 of which llama.cpp would stretch the softmax otherwise is refused', async () => {
  const config = { ...LATENT, ...INDEXER, model_type: 'glm_moe_dsa', rope_scaling: YARN }
  const source = await readSourceModel(opened(config))
  expect(() => prepareGguf(source, {})).toThrow('llama.cpp would stretch the softmax by 1.2')
})

it.each([
  ['llama', []],
  ['qwen3', [/architecture qwen3 has no place for divisors of the rope's frequencies \(rope_freqs\.weight\)/]],
])('%s with the positions of Llama 3: llama.cpp reads divisors in some architectures only', async (type, warnings) => {
  const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 }
  const config = { ...QWEN3, model_type: type, rope_scaling: { ...scaling, original_max_position_embeddings: 16 } }
  const source = await readSourceModel(opened(config))
  expect(prepareGguf(source, {}).warnings).toEqual(warnings.map(warning => expect.stringMatching(warning)))
})

it('gpt-oss: where YaRN begins and ends llama.cpp rounds, and the model does not', () => {
  const moe = { num_local_experts: 2, num_experts_per_tok: 1, sliding_window: 4, layer_types: ['full_attention'] }
  const { config } = opened({
    ...QWEN3,
    ...moe,
    head_dim: 16,
    model_type: 'gpt_oss',
    rope_scaling: { ...YARN, original_max_position_embeddings: 64, truncate: false },
  })
  const whole = {
    ...config,
    ropes: config.ropes.map(rope => ({ ...rope, scaling: { ...rope.scaling, truncate: true } })),
  }
  const warnings = (model: typeof config) => architectureFor('gpt_oss').warnings?.(model)
  expect(warnings(config)).toEqual([expect.stringMatching(/rotates \d of 8 pairs of numbers otherwise/)])
  expect(warnings(whole as typeof config)).toEqual([])
})
