/** Models of random shape and weights: a checkpoint that makes up whatever tensor a family asks for. */
import { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { WeightSource } from '../../src/kernels/contract/weights.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model, ModelOptions } from '../../src/model/model.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { Rng } from './rng.ts'

/** Weights drawn by name and seed, so that every kernel set gets the same. */
export class RandomCheckpoint extends Checkpoint {
  readonly #seed: number

  constructor(config: Record<string, unknown>, seed: number) {
    super({ name: 'random', configFile: 'random/config.json', config, tensors: new Map(), warnings: [] })
    this.#seed = seed
  }

  override has(name: string): boolean {
    return !name.endsWith('.bias')
  }

  override matrix(name: string, rows: number, cols: number): WeightSource {
    return this.#draw(name, rows, cols, cols ** -0.5, 0)
  }

  override vector(name: string, length: number): WeightSource {
    return this.#draw(name, 1, length, 0.1, /norm/.test(name) ? 1 : 0)
  }

  #draw(name: string, rows: number, cols: number, scale: number, offset: number): WeightSource {
    const data = new Rng(`${this.#seed} ${name}`).normals(rows * cols, scale, offset)
    const source = memorySource(name, new Uint8Array(data.buffer))
    return { name, dtype: 'f32', rows, cols, bytes: { source, offset: 0, length: data.byteLength } }
  }
}

export function randomModel(
  kernels: Kernels,
  config: Record<string, unknown>,
  seed: number,
  options?: ModelOptions,
): Promise<Model> {
  return loadModel(modelOf(new RandomCheckpoint(config, seed)), kernels, options)
}

/** A small MLA model with odd sizes, dense or with experts. */
export function randomLatentConfig(rng: Rng): Record<string, unknown> {
  const layers = 1 + rng.below(3)
  return {
    model_type: 'deepseek_v3',
    vocab_size: 40 + rng.below(30),
    hidden_size: 9 + rng.below(40),
    intermediate_size: 5 + rng.below(60),
    num_hidden_layers: layers,
    num_attention_heads: 1 + rng.below(6),
    q_lora_rank: rng.below(2) ? 5 + rng.below(20) : null,
    kv_lora_rank: 4 + rng.below(40),
    qk_rope_head_dim: 2 * (1 + rng.below(8)),
    qk_nope_head_dim: 3 + rng.below(20),
    v_head_dim: 3 + rng.below(24),
    max_position_embeddings: 2048,
    n_routed_experts: 8,
    num_experts_per_tok: 3,
    n_group: 2,
    topk_group: 2,
    moe_intermediate_size: 7 + rng.below(12),
    n_shared_experts: rng.below(2),
    first_k_dense_replace: rng.below(layers + 1),
    routed_scaling_factor: 1.5,
    rope_scaling: rng.below(2)
      ? { type: 'yarn', factor: 4, original_max_position_embeddings: 32, mscale: 1, mscale_all_dim: 1 }
      : null,
  }
}

/** A small grouped-attention model: MHA, GQA or MQA, some layers with a window. */
export function randomGroupedConfig(rng: Rng): Record<string, unknown> {
  const groups = 1 + rng.below(3)
  return {
    model_type: 'qwen2',
    vocab_size: 40 + rng.below(30),
    hidden_size: 9 + rng.below(40),
    intermediate_size: 5 + rng.below(60),
    num_hidden_layers: 3,
    num_key_value_heads: groups,
    num_attention_heads: groups * (1 + rng.below(3)),
    head_dim: 2 * (2 + rng.below(12)),
    max_position_embeddings: 2048,
    use_sliding_window: rng.below(2) === 1,
    sliding_window: 5 + rng.below(60),
    max_window_layers: 1 + rng.below(2),
  }
}

/** A small hybrid: short convolutions, and grouped attention in some layers. */
export function randomConvolutionConfig(rng: Rng): Record<string, unknown> {
  const groups = 1 + rng.below(3)
  const types = ['conv', 'full_attention', 'conv', 'conv']
  return {
    model_type: 'lfm2',
    vocab_size: 40 + rng.below(30),
    hidden_size: 9 + rng.below(40),
    intermediate_size: 30 + rng.below(60),
    block_multiple_of: 8,
    num_hidden_layers: types.length,
    num_key_value_heads: groups,
    num_attention_heads: groups * (1 + rng.below(3)),
    head_dim: 2 * (2 + rng.below(12)),
    max_position_embeddings: 2048,
    layer_types: types,
    conv_L_cache: 2 + rng.below(3),
    conv_bias: false,
  }
}

export const MODEL_KINDS = ['latent', 'grouped', 'windowed', 'convolution'] as const

/** A small random model of one kind of attention, with short blocks and, if windowed, windows shorter than a text. */
export function randomModelOf(kernels: Kernels, kind: (typeof MODEL_KINDS)[number]): Promise<Model> {
  const rng = new Rng(kind === 'latent' ? 5 : 6)
  if (kind === 'latent') return randomModel(kernels, randomLatentConfig(rng), 1, { blockTokens: 16 })
  if (kind === 'convolution') return randomModel(kernels, randomConvolutionConfig(rng), 1, { blockTokens: 16 })
  const windows = { use_sliding_window: kind === 'windowed', sliding_window: 21, max_window_layers: 1 }
  return randomModel(kernels, { ...randomGroupedConfig(rng), ...windows }, 1, { blockTokens: 16 })
}
