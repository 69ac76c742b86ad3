import { describe, expect, it } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { FAMILIES, parseConfig, traitsOf } from '../../src/families/index.ts'

const SIZES = {
  vocab_size: 100,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
}
const LLAMA = { ...SIZES, model_type: 'llama', num_key_value_heads: 2 }
const DEEPSEEK = {
  ...SIZES,
  model_type: 'deepseek_v3',
  kv_lora_rank: 16,
  qk_rope_head_dim: 4,
  qk_nope_head_dim: 8,
  v_head_dim: 8,
}

const parse = (json: Record<string, unknown>) => parseConfig(new ConfigReader(json, 'config.json'))

describe('what the engine runs of a descriptor', () => {
  it('layers have sizes of their own, and heads of another size another rope', () => {
    const { layers, ropes } = parse({ ...LLAMA, per_layer_config: { 1: { head_dim: 16, num_key_value_heads: 1 } } })
    expect(layers.map(({ attention: a }) => a.kind === 'grouped' && [a.headDim, a.nKvHeads, a.softmaxScale])).toEqual([
      [8, 2, 8 ** -0.5],
      [16, 1, 16 ** -0.5],
      [8, 2, 8 ** -0.5],
    ])
    expect(layers.map(({ rope }) => ropes[rope as number]?.dim)).toEqual([8, 16, 8])
    expect(ropes).toHaveLength(2)
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['a latent in a llama', { ...DEEPSEEK, model_type: 'llama' }, '"llama" with multi-head latent attention'],
    ['heads in a DeepSeek', { ...LLAMA, model_type: 'deepseek_v3' }, '"deepseek_v3" with attention without latents'],
    ['values of another width', { ...LLAMA, v_head_dim: 4 }, 'keys and values of different widths'],
    ['rows of other layers', { ...LLAMA, num_kv_shared_layers: 1 }, 'layers that read the keys of others'],
    ['norms over heads', { ...LLAMA, use_qk_norm: true }, 'norms over the heads of q and k'],
    ['experts', { ...LLAMA, num_experts: 4, num_experts_per_tok: 2 }, '"llama" with experts'],
    ['a sparse indexer', { ...DEEPSEEK, index_topk: 8, index_n_heads: 2, index_head_dim: 4 }, 'a sparse indexer'],
    ['odd heads', { ...LLAMA, head_dim: 7 }, '"head_dim" is 7; expected an even number'],
    [
      'a window without a length',
      { ...LLAMA, model_type: 'qwen3', use_sliding_window: true },
      '"sliding_window" is missing',
    ],
  ])('refuses %s', (_, json, message) => {
    expect(() => parse(json)).toThrow(message)
  })
})

it('every family that runs is one that the planner knows', () => {
  for (const { traits } of FAMILIES) for (const type of traits.modelTypes) expect(traitsOf(type)).toBe(traits)
})
