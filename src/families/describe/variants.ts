/** How layers differ from what the common fields say: rows that they share, `per_layer_config`, and what a family adds in its `layers.ts`. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { LayerDescriptor, OwnWeight } from '../descriptor.ts'
import { SIZE } from './fields.ts'

export interface Variation {
  /** One for each layer. */
  readonly layers: readonly LayerDescriptor[]
  /** Of the whole model. */
  readonly own: readonly OwnWeight[]
}

export interface LayerVariant {
  readonly modelTypes: readonly string[]
  /** Fields that mean something in this family only. */
  readonly fields: readonly string[]
  /** Default: nothing differs. */
  readonly read?: (raw: ConfigReader, layers: readonly LayerDescriptor[]) => Partial<Variation>
}

/** `variant`: of the family, if it has one. */
export function readVariant(
  raw: ConfigReader,
  variant: LayerVariant | undefined,
  layers: readonly LayerDescriptor[],
): Variation {
  const shared = { layers: sharedRows(raw, layerByLayer(raw, layers)), own: [] }
  return { ...shared, ...variant?.read?.(raw, shared.layers) }
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
