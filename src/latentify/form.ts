/** A latent model in deepseek_v3's form: tensors by the hub's names, and config.json. */
import type { JsonObject } from '../checkpoint/json-file.ts'
import type { SourceModel } from '../conversion/source-model.ts'
import { LATENT_NORM_EPS } from '../nn/attention/config.ts'
import type { Attention } from './attention.ts'
import { at, type Dense, dot, rowOf } from './dense.ts'
import type { LayerFactors } from './factors.ts'
import type { Plan, Sizes } from './plan.ts'

/**
 * The weight of a norm that is to be a constant. Readers norm the latent always; rows that are so small that the norm's eps swamps their mean square leave it
 * as it is times eps^(-1/2), and its weight makes up for the rest. A power of two, so that bf16 has it exactly; with it the mean square
 * of a latent of size 1 is 2e-10 of eps.
 */
const NORM_WEIGHT = 2 ** 16
const SMALL = Math.sqrt(LATENT_NORM_EPS) / NORM_WEIGHT

export interface NamedMatrix {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
  /** Whether its rows are the small ones above, or a vector: such stay f32. */
  readonly exact: boolean
}

export interface FormOptions {
  /** A latent of the query, too. */
  readonly queryLatent: boolean
  /** Projections have biases. */
  readonly biased: boolean
}

/** Numbers of the query's latent: the input, and with biases a constant, filled up so that blocks of 32 fit. */
function queryRank({ inputs }: Plan, { queryLatent, biased }: FormOptions): number | null {
  if (biased) return 32 * Math.ceil((inputs + 1) / 32)
  return queryLatent ? inputs : null
}

/** Layer `layer` of what attention has: all but the output projection, which stays, and is left out. */
export function layerTensors(
  plan: Plan,
  { rank: C, rope: R }: Sizes,
  attention: Attention,
  factors: LayerFactors,
  layer: number,
  options: FormOptions,
): NamedMatrix[] {
  const { inputs: D, heads: H, width: d } = plan
  const name = (tensor: string) => `model.layers.${layer}.self_attn.${tensor}`
  const tensors: NamedMatrix[] = []
  const add = (tensor: string, shape: readonly number[], values: Float32Array, exact = false) =>
    tensors.push({ name: name(tensor), shape, values, exact })

  const query = perHead(H, [factors.query, factors.ropeQuery]) // [H (d + R), D + 1]
  // Stock readers divide by the root of the whole width.
  const scale = Math.sqrt(d + R)
  const Q = queryRank(plan, options)
  if (Q === null) {
    add(
      'q_proj.weight',
      [H * (d + R), D],
      numbers(H * (d + R), D, (i, j) => scale * at(query, i, j)),
    )
  } else {
    add(
      'q_a_proj.weight',
      [Q, D],
      numbers(Q, D, (i, j) => (i === j ? SMALL : 0)),
      true,
    )
    if (options.biased)
      add(
        'q_a_proj.bias',
        [Q],
        numbers(1, Q, (_, j) => (j === D ? SMALL : 0)),
        true,
      )
    add(
      'q_a_layernorm.weight',
      [Q],
      numbers(1, Q, () => NORM_WEIGHT),
      true,
    )
    const columns = options.biased ? D + 1 : D
    add(
      'q_b_proj.weight',
      [H * (d + R), Q],
      numbers(H * (d + R), Q, (i, j) => (j < columns ? scale * at(query, i, j) : 0)),
    )
  }
  add(
    'kv_a_proj_with_mqa.weight',
    [C + R, D],
    numbers(C + R, D, (i, j) => (i < C ? SMALL * at(factors.latent, i, j) : at(factors.ropeKey, i - C, j))),
    true,
  )
  if (options.biased) {
    add(
      'kv_a_proj_with_mqa.bias',
      [C + R],
      numbers(1, C + R, (_, i) => (i < C ? 0 : at(factors.ropeKey, i - C, D))),
      true,
    )
  }
  add(
    'kv_a_layernorm.weight',
    [C],
    numbers(1, C, () => NORM_WEIGHT),
    true,
  )
  const up = perHead(H, [factors.keyUp, factors.valueUp]) // [H 2d, C]
  add(
    'kv_b_proj.weight',
    [2 * H * d, C],
    numbers(2 * H * d, C, (i, j) => at(up, i, j)),
  )
  if (options.biased) add('o_proj.bias', [D], outBias(attention, factors), true)
  return tensors
}

/**
 * The latent is written without its bias. Of keys that is the same for all scores of a query, which softmax does not see; of values it passes through
 * attention unchanged, since probabilities sum to 1, so it joins the output's bias.
 */
function outBias(attention: Attention, { latent, valueUp }: LayerFactors): Float32Array {
  const { out, outBias, inputs } = attention
  const constant = Float64Array.from({ length: latent.rows }, (_, i) => at(latent, i, inputs))
  const values = Float64Array.from({ length: valueUp.rows }, (_, i) => dot(rowOf(valueUp, i), constant))
  return Float32Array.from({ length: out.rows }, (_, i) => dot(rowOf(out, i), values) + (outBias?.[i] ?? 0))
}

/** Rows of all parts, head by head. */
function perHead(heads: number, parts: readonly Dense[]): Dense {
  const cols = (parts[0] as Dense).cols
  const sizes = parts.map(part => part.rows / heads)
  const each = sizes.reduce((sum, size) => sum + size, 0)
  const all: Dense = { rows: heads * each, cols, values: new Float64Array(heads * each * cols) }
  for (let h = 0; h < heads; h++) {
    let row = h * each
    for (const [i, part] of parts.entries()) {
      const size = sizes[i] as number
      all.values.set(part.values.subarray(h * size * cols, (h + 1) * size * cols), row * cols)
      row += size
    }
  }
  return all
}

function numbers(rows: number, cols: number, of: (row: number, col: number) => number): Float32Array {
  const all = new Float32Array(rows * cols)
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) all[i * cols + j] = of(i, j)
  return all
}

/** What the rope key turns by: a base that every reader has, or a list of frequencies. */
export type RopeForm = { readonly theta: number } | { readonly frequencies: Float64Array }

export function latentConfig(
  { config, checkpoint }: SourceModel,
  plan: Plan,
  { rank, rope }: Sizes,
  form: RopeForm,
  options: FormOptions,
): JsonObject {
  const { mlp } = config.layers[0] as (typeof config.layers)[number]
  const size = mlp.kind === 'dense' ? mlp.size : 0
  const given = checkpoint.config
  const kept = ['bos_token_id', 'eos_token_id', 'pad_token_id', 'initializer_range', 'torch_dtype', 'dtype']
  return {
    architectures: ['DeepseekV3ForCausalLM'],
    model_type: 'deepseek_v3',
    ...Object.fromEntries(kept.flatMap(key => (given[key] === undefined ? [] : [[key, given[key]]]))),
    vocab_size: config.vocabSize,
    hidden_size: plan.inputs,
    intermediate_size: size,
    num_hidden_layers: plan.layers,
    num_attention_heads: plan.heads,
    num_key_value_heads: plan.heads,
    q_lora_rank: queryRank(plan, options),
    kv_lora_rank: rank,
    qk_nope_head_dim: plan.width,
    qk_rope_head_dim: rope,
    v_head_dim: plan.width,
    attention_bias: options.biased,
    hidden_act: 'silu',
    rms_norm_eps: config.norm.eps,
    max_position_embeddings: config.maxPositions,
    tie_word_embeddings: config.tiedEmbeddings,
    rope_interleave: true,
    ...ropeFields(form, rope, config.maxPositions),
    ...(plan.window !== null && { sliding_window: plan.window }),
    // No layer has experts; transformers wants their sizes all the same.
    first_k_dense_replace: plan.layers,
    moe_intermediate_size: size,
    n_routed_experts: 1,
    n_shared_experts: 1,
    num_experts_per_tok: 1,
    n_group: 1,
    topk_group: 1,
    num_nextn_predict_layers: 0,
    constant_latent_norm: LATENT_NORM_EPS,
  }
}

function ropeFields(form: RopeForm, rope: number, maxPositions: number): JsonObject {
  if ('theta' in form) return { rope_theta: form.theta }
  const theta = 10_000
  const factors = Array.from(form.frequencies, (f, i) => theta ** ((-2 * i) / rope) / f)
  return {
    rope_theta: theta,
    rope_scaling: {
      rope_type: 'longrope',
      factor: 1,
      attention_factor: 1,
      original_max_position_embeddings: maxPositions,
      short_factor: factors,
      long_factor: factors,
    },
  }
}
