/** Mistral's rope in llama.cpp's files: mistral3 has `mscale_all_dim` itself as YaRN's multiplier, mistral4 a tenth of it, as deepseek2. */
import { expect, it } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { GgufKeys } from '../../src/checkpoint/gguf/keys.ts'
import { Metadata } from '../../src/checkpoint/gguf/metadata.ts'
import { architectureFor } from '../../src/families/architectures.ts'
import { parseConfig } from '../../src/families/index.ts'

const ROPE = { rope_theta: 10_000, llama_4_scaling_beta: 0.1, original_max_position_embeddings: 16 }
const YARN = { ...ROPE, rope_type: 'yarn', factor: 8, mscale: 1, mscale_all_dim: 0.8 }

function written(rope_parameters: object): GgufKeys {
  const sizes = {
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    vocab_size: 100,
    intermediate_size: 64,
  }
  const config = parseConfig(
    new ConfigReader({ ...sizes, model_type: 'ministral3', head_dim: 8, rope_parameters }, 'config.json'),
  )
  const keys = new GgufKeys('mistral3')
  architectureFor('ministral3').addKeys?.(keys, config, 0)
  return keys
}

/** A file's rope as config.json would have it. */
function read(type: string, keys: GgufKeys): unknown {
  for (const [name, value] of [
    ...([
      ['embedding_length', 32],
      ['block_count', 2],
      ['attention.head_count', 4],
      ['attention.head_count_kv', 4],
    ] as const),
    ...([
      ['feed_forward_length', 64],
      ['context_length', 128],
      ['vocab_size', 100],
    ] as const),
    ...([
      ['rope.dimension_count', 8],
      ['attention.key_length', 16],
    ] as const),
    ['attention.value_length', 16] as const,
    ['rope.scaling.original_context_length', 16] as const,
  ]) {
    keys.u32(`{arch}.${name}`, value)
  }
  if (type === 'mistral4') keys.u32('{arch}.attention.kv_lora_rank', 16)
  keys.f32('{arch}.attention.layer_norm_rms_epsilon', 1e-5)
  keys.f32('{arch}.attention.temperature_scale', 0.5)
  keys.string('{arch}.rope.scaling.type', 'yarn')
  keys.f32('{arch}.rope.scaling.factor', 8)
  const metadata = new Metadata(keys.asRead(), 'a file')
  return architectureFor(type).config({ metadata, tensors: new Map(), ropeTensors: {} }).rope_parameters
}

it('is written as llama.cpp reads it', () => {
  const multiplier = 'mistral3.rope.scaling.yarn_log_multiplier'
  const value = (rope: object, key: string) => written(rope).entries.get(key)?.value
  expect(value(YARN, multiplier)).toBe(0.8)
  expect(value({ ...YARN, mscale_all_dim: 0 }, multiplier)).toBe(undefined)
  expect(value(ROPE, 'mistral3.rope.scaling.original_context_length')).toBe(16)
})

it('is read as llama.cpp computes', () => {
  const given = new GgufKeys('mistral3')
  given.f32('{arch}.rope.scaling.yarn_log_multiplier', 0.5)
  const growth = { llama_4_scaling_beta: 0.5, original_max_position_embeddings: 16 }
  expect(read('ministral3', given)).toMatchObject({ ...growth, mscale: 1, mscale_all_dim: 0.5 })
  expect(read('ministral3', new GgufKeys('mistral3'))).not.toHaveProperty('mscale_all_dim')
  given.f32('{arch}.rope.scaling.attn_factor', 2)
  const { attention_factor } = read('ministral3', given) as Record<string, number>
  // Besides what the multiplier makes of YaRN.
  expect(attention_factor).toBeCloseTo((2 * (1 + 0.1 * Math.log(8))) / (1 + 0.05 * Math.log(8)), 6)
  const tenth = new GgufKeys('mistral4')
  tenth.f32('{arch}.rope.scaling.yarn_log_multiplier', 0.05)
  // The softmax by 1 + 0.1 ln(factor) whatever the multiplier is, which changes what is rotated.
  const small = read('mistral4', tenth) as Record<string, number>
  expect(small.mscale_all_dim).toBeCloseTo(1, 5)
  expect(small.attention_factor).toBeCloseTo((1 + 0.1 * Math.log(8)) / (1 + 0.05 * Math.log(8)), 6)
})
