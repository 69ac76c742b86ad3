/** What single families do to layers and weights that their common fields do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { ConfigError } from '../../errors.ts'
import type { LayerDescriptor, OwnWeight, Unknown } from '../descriptor.ts'
import { COUNT, firstInt, HIDDEN, SIZE } from './fields.ts'
import { layerTypes } from './layers.ts'
import { gemma4Weights, matrix, perLayerWeights, vector } from './own-weights.ts'

export interface Reading {
  /** One for each layer. */
  readonly layers: readonly LayerDescriptor[]
  readonly own: readonly OwnWeight[]
  readonly unknown: readonly Unknown[]
}

interface Variant {
  /** Fields that mean something in this family only. */
  readonly fields: readonly string[]
  readonly read: (raw: ConfigReader, layers: readonly LayerDescriptor[]) => Partial<Reading>
}

const GATE = 'gated_attention_proj_granularity_type'
const QWEN_GATED: Variant = { fields: ['attn_output_gate', 'shared_expert_intermediate_size'], read: qwenGates }

const VARIANTS: Readonly<Record<string, Variant>> = {
  axk1: { fields: [], read: expertNorms },
  axk2: { fields: ['gated_norm_rank'], read: gatedNorms },
  bailing_hybrid: {
    fields: ['layer_group_size', 'no_kda_lora', 'short_conv_kernel_size', 'linear_num_heads', 'linear_head_dim', GATE],
    read: headGates,
  },
  gemma4_text: {
    fields: [
      ...['global_head_dim', 'num_global_key_value_heads', 'attention_k_eq_v', 'use_double_wide_mlp'],
      ...['hidden_size_per_layer_input', 'vocab_size_per_layer_input', 'enable_moe_block', 'top_k_experts'],
    ],
    read: gemma4,
  },
  kimi_linear: { fields: ['linear_num_heads', 'linear_head_dim'], read: () => ({}) },
  longcat_flash: { fields: ['zero_expert_num', 'expert_ffn_hidden_size'], read: twoAttentions },
  lfm2: {
    fields: ['block_auto_adjust_ff_dim', 'block_ffn_dim_multiplier', 'block_multiple_of', 'block_ff_dim'],
    read: roundedWidth,
  },
  olmo2: { fields: [], read: wideNorms },
  qwen2_moe: QWEN_GATED,
  qwen3_5_text: QWEN_GATED,
  qwen3_5_moe_text: QWEN_GATED,
  qwen3_next: QWEN_GATED,
}

/** The fields that `readVariant` looks at. */
export function variantFields(modelType: string): readonly string[] {
  return Object.hasOwn(VARIANTS, modelType) ? (VARIANTS[modelType] as Variant).fields : []
}

export function readVariant(raw: ConfigReader, modelType: string, layers: readonly LayerDescriptor[]): Reading {
  const shared = { layers: sharedRows(raw, layerByLayer(raw, layers)), own: [], unknown: [] }
  if (!Object.hasOwn(VARIANTS, modelType)) return shared
  return { ...shared, ...(VARIANTS[modelType] as Variant).read(raw, shared.layers) }
}

/** The last layers of Gemma 3n and 4 read what the last unshared layer of their kind has kept. */
function sharedRows(raw: ConfigReader, layers: readonly LayerDescriptor[]): readonly LayerDescriptor[] {
  const shared = raw.int('num_kv_shared_layers', { max: layers.length, default: 0 })
  return layers.map((l, i) => (i < layers.length - shared ? l : { ...l, sharesRows: true }))
}

type Numbers = Readonly<Record<string, number>>

/** What transformers 5 writes where layers differ: `per_layer_config`, by a layer's number what it has instead. */
function layerByLayer(raw: ConfigReader, layers: readonly LayerDescriptor[]): readonly LayerDescriptor[] {
  const all = raw.optionalObject('per_layer_config')
  if (!all) return layers
  const changes = new Map(
    all.keys().map(key => {
      const one = all.object(key)
      return [Number(key), Object.fromEntries(one.keys().map(name => [name, one.int(name, SIZE)]))] as const
    }),
  )
  return layers.map((l, i) => changed(l, changes.get(i) ?? {}))
}

/** Fields that `changed` knows. */
export const BY_LAYER =
  /^(head_dim|v_head_dim|num_attention_heads|num_key_value_heads|[kq]v?_lora_rank|qk_(nope|rope)_head_dim|sliding_window|intermediate_size)$/

function changed(layer: LayerDescriptor, n: Numbers): LayerDescriptor {
  const { attention: a, mlp } = layer
  const window = layer.window === null ? null : (n.sliding_window ?? layer.window)
  const size = n.intermediate_size
  const rest = { ...layer, window, mlp: mlp.kind === 'dense' && size ? { ...mlp, size } : mlp }
  if (a.kind === 'state') return rest
  const nHeads = n.num_attention_heads ?? a.nHeads
  if (a.kind === 'grouped') {
    const keyDim = n.head_dim ?? a.keyDim
    const valueDim = n.v_head_dim ?? (a.valueDim === a.keyDim ? keyDim : a.valueDim)
    return { ...rest, attention: { ...a, nHeads, nKvHeads: n.num_key_value_heads ?? a.nKvHeads, keyDim, valueDim } }
  }
  return {
    ...rest,
    attention: {
      ...a,
      nHeads,
      qLoraRank: a.qLoraRank === null ? null : (n.q_lora_rank ?? a.qLoraRank),
      kvLoraRank: n.kv_lora_rank ?? a.kvLoraRank,
      qkNopeHeadDim: n.qk_nope_head_dim ?? a.qkNopeHeadDim,
      qkRopeHeadDim: n.qk_rope_head_dim ?? a.qkRopeHeadDim,
      vHeadDim: n.v_head_dim ?? a.vHeadDim,
    },
  }
}

function withOwn(layer: LayerDescriptor, own: readonly OwnWeight[]): LayerDescriptor {
  return { ...layer, own: [...(layer.own ?? []), ...own] }
}

/** A.X-K2: norms gated by a low-rank product, in front of every attention and of experts; q and a gate from both latents. */
function gatedNorms(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  const [D, rank] = [firstInt(raw, HIDDEN, SIZE), raw.int('gated_norm_rank', SIZE)]
  const gate: OwnWeight[] = [matrix('norm gate down', rank, D), matrix('norm gate up', D, rank)]
  return {
    layers: layers.map(l => {
      const { attention: a } = l
      if (a.kind !== 'latent' || a.qLoraRank === null) return l
      const { nHeads: H, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V, qLoraRank: Q } = a
      const queries = [split('q from the raw latent', H * (N + R), Q), split('attention gate', H * V, 2 * Q)]
      return withOwn(l, [...queries, ...gate, ...(l.mlp.kind === 'moe' ? gate : [])])
    }),
  }
}

/** A.X-K1: a norm on what experts return. */
function expertNorms(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  const norm = vector('norm of experts', firstInt(raw, HIDDEN, SIZE))
  return { layers: layers.map(l => (l.mlp.kind === 'moe' ? withOwn(l, [norm]) : l)) }
}

/** Ling: each head's output, or each number of it, is gated in the layers that attend. */
function headGates(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  const D = firstInt(raw, HIDDEN, SIZE)
  const by = raw.optionalString(GATE)
  if (by === undefined) return {}
  return {
    layers: layers.map(l => {
      const { attention: a } = l
      if (a.kind !== 'latent') return l
      return withOwn(l, [split('attention gate', by === 'head_wise' ? a.nHeads : a.nHeads * a.vHeadDim, D)])
    }),
  }
}

/** Gemma 4: heads of another width in layers that see everything, wider MLPs where rows are shared, an embedding per layer. */
function gemma4(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  const D = firstInt(raw, HIDDEN, SIZE)
  const L = layers.length
  const types = layerTypes(raw)
  for (const key of ['head_dim', 'global_head_dim', 'num_key_value_heads']) {
    if (raw.keys().includes(key) && !raw.has(key)) {
      throw new ConfigError(`${raw.file}: "${key}" is null; expected a number, or no such field, as its code has it`)
    }
  }
  const every = raw.optionalInt('sliding_window_pattern', COUNT)
  if (types.length === 0 && every !== undefined && every !== 6) {
    raw.fail('sliding_window_pattern', '6, or layer_types: without a list every sixth layer sees everything')
  }
  const global = raw.has('per_layer_config') ? undefined : raw.int('global_head_dim', { ...SIZE, default: 512 })
  const oneForBoth = raw.bool('attention_k_eq_v', { default: false })
  const globalHeads = oneForBoth ? raw.optionalInt('num_global_key_value_heads', COUNT) : undefined
  const wide = raw.bool('use_double_wide_mlp', { default: false })
  const width = raw.int('hidden_size_per_layer_input', { max: SIZE.max, default: 256 })
  const experts = raw.bool('enable_moe_block', { default: false })
  const dense = raw.int('intermediate_size', SIZE)
  return {
    own:
      width === 0
        ? []
        : perLayerWeights(D, L, width, raw.int('vocab_size_per_layer_input', { ...SIZE, default: 262_144 })),
    layers: layers.map((l, i): LayerDescriptor => {
      const { attention: a, mlp, ...rest } = l
      if (a.kind !== 'grouped') return l
      // Its code lets the last layer see everything, whatever the file says; without a list every sixth does.
      const full = i === L - 1 || (types.length > 0 ? types[i] === 'full_attention' : (i + 1) % 6 === 0)
      const dim = (full ? global : undefined) ?? a.keyDim
      const nKvHeads = (full ? globalHeads : undefined) ?? a.nKvHeads
      const both = full && oneForBoth ? { oneProjection: true } : {}
      const layer: LayerDescriptor = {
        ...rest,
        window: full ? null : l.window,
        attention: { ...a, nKvHeads, keyDim: dim, valueDim: dim, ...both },
        mlp: { kind: 'dense', size: (mlp.kind === 'dense' ? mlp.size : dense) * (wide && l.sharesRows ? 2 : 1) },
        ...(experts && mlp.kind === 'moe' && { beside: { ...mlp, sharedSize: 0, selectionBias: false } }),
      }
      return withOwn(layer, gemma4Weights(D, width, layer.beside?.nExperts))
    }),
  }
}

/**
 * LongCat: two attentions and two MLPs in each layer, which are two layers here, and experts beside the first MLP. Some of these return their
 * input: they have no weights and are chosen like the others.
 */
function twoAttentions(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  const dense: LayerDescriptor['mlp'] = { kind: 'dense', size: raw.int('ffn_hidden_size', SIZE) }
  const idle = raw.int('zero_expert_num', { max: 1 << 16, default: 0 })
  return {
    layers: layers.flatMap(({ mlp, ...rest }): LayerDescriptor[] => {
      const layer = { ...rest, mlp: dense }
      return [mlp.kind === 'moe' ? { ...layer, beside: { ...mlp, ...(idle > 0 && { idle }) } } : layer, layer]
    }),
  }
}

/** LFM2's MLPs: two thirds of the width, rounded up. */
function roundedWidth(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  if (!raw.bool('block_auto_adjust_ff_dim', { default: true })) return {}
  const factor = raw.optionalNumber('block_ffn_dim_multiplier', { min: 0, max: 100 }) ?? 1
  const multiple = raw.int('block_multiple_of', { ...COUNT, default: 256 })
  const rounded = (size: number) => multiple * Math.ceil(Math.floor(factor * Math.floor((2 * size) / 3)) / multiple)
  return {
    layers: layers.map(l => (l.mlp.kind === 'dense' ? { ...l, mlp: { ...l.mlp, size: rounded(l.mlp.size) } } : l)),
  }
}

/** Olmo 2: norms over all heads of q and of k at once. */
function wideNorms(_: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  return {
    layers: layers.map(l => {
      const { attention: a } = l
      return a.kind === 'grouped' ? withOwn(l, [vector('q, k norms', (a.nHeads + a.nKvHeads) * a.keyDim)]) : l
    }),
  }
}

/** Qwen: a gate as wide as the queries, from the same projection, and a number that weighs the shared expert. */
function qwenGates(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Reading> {
  const D = firstInt(raw, HIDDEN, SIZE)
  const gated = raw.bool('attn_output_gate', { default: raw.has('linear_num_value_heads') })
  return {
    layers: layers.map(l => {
      const { attention: a, mlp } = l
      return withOwn(l, [
        ...(gated && a.kind === 'grouped' ? [split('attention gate', a.nHeads * a.keyDim, D)] : []),
        ...(mlp.kind === 'moe' && mlp.sharedSize > 0 ? [vector('shared expert gate', D)] : []),
      ])
    }),
  }
}

function split(name: string, rows: number, cols: number): OwnWeight {
  return { ...matrix(name, rows, cols), split: 'rows' }
}
