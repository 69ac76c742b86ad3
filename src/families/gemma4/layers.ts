/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { ConfigError } from '../../errors.ts'
import { COUNT, firstInt, HIDDEN, SIZE } from '../describe/fields.ts'
import { layerTypes } from '../describe/layers.ts'
import { gemma4Weights, perLayerWeights, withOwn } from '../describe/own-weights.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor } from '../descriptor.ts'

export const gemma4Layers: LayerVariant = {
  modelTypes: ['gemma4_text'],
  fields: [
    ...['global_head_dim', 'num_global_key_value_heads', 'attention_k_eq_v', 'use_double_wide_mlp'],
    ...['hidden_size_per_layer_input', 'vocab_size_per_layer_input', 'enable_moe_block', 'top_k_experts'],
  ],
  read: gemma4,
}

/** Heads of another width in layers that see everything, wider MLPs where rows are shared, an embedding per layer. */
function gemma4(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
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
