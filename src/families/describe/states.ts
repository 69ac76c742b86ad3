/** Layers that keep a state of fixed size instead of keys: which they are, and what they hold. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { OwnWeight, StateShape, Unknown } from '../descriptor.ts'
import { COUNT, first, firstInt, HEADS, HIDDEN, optionalFirstInt, SIZE } from './fields.ts'
import { countLayers, layerTypes } from './layers.ts'
import { split } from './own-weights.ts'

export interface StateLayers {
  readonly of: (layer: number) => StateShape | null
  readonly unknown: readonly Unknown[]
}

/** Fields that only models with such layers have. */
const MARKS = [
  ...['linear_attn_config', 'full_attention_interval', 'layer_group_size', 'conv_L_cache', 'full_attn_idxs'],
  ...['mamba_d_state', 'mamba_num_heads', 'mamba_config', 'ssm_state_size', 'ssm_cfg', 'state_size', 'mamba2_state'],
  ...['attn_layer_period', 'attn_layer_indices', 'block_types', 'hybrid_override_pattern', 'attn_type_list'],
  ...['lru_width', 'rwkv_version', 'attention_hidden_size', 'full_attn_alpha_factor', 'linear_attn_alpha_factor'],
]
const STATE_TYPE = /linear|mamba|recurrent|conv|ssm|delta|kda|lightning|rwkv|retention/i

const NONE: StateLayers = { of: () => null, unknown: [] }

/** Throws UnsupportedModelError for states whose size does not follow from fields that are known here. */
export function readStates(raw: ConfigReader, modelType: string): StateLayers {
  const types = layerTypes(raw)
  const typed = types.some(t => STATE_TYPE.test(t))
  const mark = first(raw, MARKS)
  if (!typed && !mark) return NONE
  const is = types.length > 0 ? (i: number) => STATE_TYPE.test(types[i] ?? '') : null
  if (raw.has('linear_attn_config') || (raw.has('linear_num_heads') && modelType === 'kimi_linear'))
    return kimiLinear(raw, is)
  if (raw.has('linear_num_value_heads')) return deltaNet(raw, is)
  if (raw.has('conv_L_cache')) return shortConvolutions(raw, is)
  if (modelType === 'bailing_hybrid' && raw.has('layer_group_size')) return bailing(raw, is)
  throw new UnsupportedModelError(
    `${raw.file}: ${JSON.stringify(modelType.slice(0, 60))} has layers that keep a state of fixed size instead of keys ` +
      `(${mark ?? 'layer_types'}), of a kind that is not known here; latentkit plans those of Kimi-Linear, Qwen3-Next, ` +
      'Qwen3.5, Ling 3.0 and LFM2.',
  )
}

type Is = ((layer: number) => boolean) | null

/** Kimi delta attention: a state for each head, a decay for each channel. Fields as published, or as transformers 5 has them. */
function kimiLinear(raw: ConfigReader, is: Is): StateLayers {
  const config = raw.optionalObject('linear_attn_config')
  if (!config) {
    const d = raw.int('linear_head_dim', SIZE)
    const kernel = raw.int('linear_conv_kernel_dim', { ...COUNT, default: 4 })
    const shape = kimiDeltaShape({ ...ofStream(raw), H: raw.int('linear_num_heads', COUNT), d, kernel, lowRank: d })
    return { of: i => (is?.(i) ? shape : null), unknown: [] }
  }
  const [H, d] = [config.int('num_heads', COUNT), config.int('head_dim', SIZE)]
  // Counted from 1.
  const layers = new Set(config.ints('kda_layers', { min: 1, max: countLayers(raw) }))
  const kernel = config.int('short_conv_kernel_size', COUNT)
  const shape = kimiDeltaShape({ ...ofStream(raw), H, d, kernel, lowRank: d })
  return { of: i => ((is?.(i) ?? layers.has(i + 1)) ? shape : null), unknown: [] }
}

/** Ling: every nth layer is an MLA. Ling 3.0's others have the delta rule, those before a decay alone. */
function bailing(raw: ConfigReader, is: Is): StateLayers {
  const group = raw.int('layer_group_size', COUNT)
  const state = is ?? ((i: number) => (i + 1) % group !== 0)
  const H = firstInt(raw, ['linear_num_heads', ...HEADS], COUNT)
  const d = firstInt(raw, ['linear_head_dim', 'head_dim'], SIZE)
  if (!isLightning(raw)) {
    const lowRank = raw.bool('no_kda_lora', { default: true }) ? null : d
    const kernel = optionalFirstInt(raw, ['short_conv_kernel_size', 'linear_conv_kernel_dim'], COUNT) ?? 4
    const shape = kimiDeltaShape({ ...ofStream(raw), H, d, kernel, lowRank })
    return { of: i => (state(i) ? shape : null), unknown: [] }
  }
  const D = firstInt(raw, HIDDEN, SIZE)
  const P = H * d
  const lightning: StateShape = {
    kind: 'state',
    name: `lightning attention ${H} x ${d} x ${d}`,
    nHeads: H,
    numbers: H * d * d,
    weights: [split('q, k, v', 3 * P, D), split('gate', P, D), joined('o', D, P), vector('state norms', P + 2 * d)],
  }
  const reason = `${architectureOf(raw)} has lightning attention: its state is counted, its weights are about right`
  return { of: i => (state(i) ? lightning : null), unknown: [{ field: 'architectures', affects: 'weights', reason }] }
}

const architectureOf = (raw: ConfigReader) =>
  String((raw.raw('architectures') as readonly unknown[] | undefined)?.[0] ?? '')

/** Ling 2.5, by `architectures`: Ling 3.0 has the same `model_type`. */
export function isLightning(raw: ConfigReader): boolean {
  return /V2|Linear/i.test(architectureOf(raw))
}

const ofStream = (raw: ConfigReader) => ({ D: firstInt(raw, HIDDEN, SIZE) })

interface KimiDelta {
  readonly D: number
  readonly H: number
  readonly d: number
  /** Tokens that a convolution sees, its own included. */
  readonly kernel: number
  /** Of the decay and the output gate; null: projected directly. */
  readonly lowRank: number | null
}

/** Kimi delta attention: heads of d numbers in a stream of D, a decay for each channel. */
export function kimiDeltaShape({ D, H, d, kernel, lowRank }: KimiDelta): StateShape {
  const P = H * d
  const gate = (name: string): OwnWeight[] =>
    lowRank === null
      ? [split(name, P, D)]
      : [{ name: `${name} down`, role: 'matrix', rows: lowRank, cols: D }, split(`${name} up`, P, lowRank)]
  return {
    kind: 'state',
    name: `delta rule ${H} x ${d} x ${d}`,
    nHeads: H,
    numbers: P * d + 3 * P * (kernel - 1),
    weights: [
      split('q, k, v', 3 * P, D),
      joined('o', D, P),
      split('beta', H, D),
      ...gate('decay'),
      ...gate('output gate'),
      vector('convolutions', 3 * P * kernel),
      vector('decay constants', H + P),
      vector('state norm', d),
    ],
  }
}

/** Gated DeltaNet as in Qwen3-Next and Qwen3.5: one decay for each head, fewer heads of q and k than of v. */
function deltaNet(raw: ConfigReader, is: Is): StateLayers {
  const D = firstInt(raw, HIDDEN, SIZE)
  const [K, V] = [raw.int('linear_num_key_heads', COUNT), raw.int('linear_num_value_heads', COUNT)]
  const [dk, dv] = [raw.int('linear_key_head_dim', SIZE), raw.int('linear_value_head_dim', SIZE)]
  const kernel = raw.int('linear_conv_kernel_dim', { ...COUNT, default: 4 })
  const every = raw.int('full_attention_interval', { ...COUNT, default: 4 })
  const shape = deltaNetShape({ D, K, V, dk, dv, kernel })
  const state = is ?? ((i: number) => (i + 1) % every !== 0)
  return { of: i => (state(i) ? shape : null), unknown: [] }
}

interface DeltaNet {
  readonly D: number
  /** Heads of queries and keys, and of values. */
  readonly K: number
  readonly V: number
  readonly dk: number
  readonly dv: number
  readonly kernel: number
}

/** Gated DeltaNet: a decay for each head. */
export function deltaNetShape({ D, K, V, dk, dv, kernel }: DeltaNet): StateShape {
  const channels = 2 * K * dk + V * dv
  return {
    kind: 'state',
    name: `delta rule ${V} x ${dk} x ${dv}`,
    nHeads: V,
    numbers: V * dk * dv + channels * (kernel - 1),
    weights: [
      split('q, k, v', channels, D),
      split('output gate', V * dv, D),
      split('beta and decay', 2 * V, D),
      joined('o', D, V * dv),
      vector('convolution', channels * kernel),
      vector('decay constants', 2 * V),
      vector('state norm', dv),
    ],
  }
}

/** LFM2: gated convolutions, whose state is the rows that they look back at. */
function shortConvolutions(raw: ConfigReader, is: Is): StateLayers {
  const D = firstInt(raw, HIDDEN, SIZE)
  const kernel = raw.int('conv_L_cache', COUNT)
  const bias = raw.bool('conv_bias', { default: false })
  if (!is && !raw.has('full_attn_idxs'))
    raw.missing('layer_types', 'a list of full_attention and conv, or full_attn_idxs')
  const attend = new Set(raw.optionalInts('full_attn_idxs') ?? [])
  const shape = convolutionShape({ D, kernel, bias, heads: firstInt(raw, HEADS, COUNT) })
  const state = is ?? ((i: number) => !attend.has(i))
  return { of: i => (state(i) ? shape : null), unknown: [] }
}

/** Over D channels; `heads`: what tensor-parallel ranks divide. */
export function convolutionShape(sizes: {
  readonly D: number
  readonly kernel: number
  readonly bias: boolean
  readonly heads: number
}): StateShape {
  const { D, kernel, bias, heads } = sizes
  return {
    kind: 'state',
    name: `convolution over ${kernel} tokens`,
    nHeads: heads,
    numbers: D * (kernel - 1),
    weights: [
      split('convolution in', 3 * D, D),
      joined('convolution out', D, D),
      vector('convolution', D * kernel),
      vector('convolution biases', bias ? 5 * D : 0),
    ],
  }
}

function joined(name: string, rows: number, cols: number): OwnWeight {
  return { name, role: 'matrix', rows, cols, split: 'cols' }
}

function vector(name: string, length: number): OwnWeight {
  return { name, role: 'vector', rows: length > 0 ? 1 : 0, cols: length, split: 'cols' }
}
