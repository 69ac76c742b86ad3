/** Keys of an encoder-decoder's text, and of the source that its cross-attention looks at. */

import type { GroupedAttentionConfig } from '../nn/attention/config.ts'
import type { CrossWeights } from '../nn/attention/cross.ts'
import type { KeyStore } from '../nn/attention/keys.ts'
import type { LayerConfig } from '../nn/config.ts'
import type { Decoder } from '../nn/decoder.ts'
import { linear, type Workplace } from '../nn/layers.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { rowsOf, splitHeads, type Tensor } from '../tensor/tensor.ts'

/**
 * A text's store of keys, with those of the source behind the model's own layers (`crossRows`): they are computed when a layer asks for them.
 * states: f32 [S, D], what the encoder made of the source. `seen` hears what was computed, [S, heads, width] by segment.
 */
export function withSource(
  keys: KeyStore,
  at: Workplace,
  { config, weights }: Decoder,
  states: Tensor,
  seen: Map<string, Tensor> = new Map(),
): KeyStore {
  const { nLayers } = config
  const S = states.shape[0] as number
  return {
    ...keys,
    groups: 2,
    groupOf: rows => (rows < nLayers ? 0 : 1),
    sourceGroup: 1,
    stored(rows, segment) {
      const { nKvHeads: heads, headDim: width } = (config.layers[rows - nLayers] as LayerConfig)
        .cross as GroupedAttentionConfig
      const by = (weights.layers[rows - nLayers] as LayerWeights).cross as CrossWeights
      const made = at.scratch.take([S, heads * width])
      linear(at, made, states, segment === 'key' ? by.key : by.value)
      seen.set(segment, splitHeads(made, heads))
      return {
        exact: true,
        capacity: S,
        slice: () => ({ rows: made, dtype: 'f32', offset: 0, heads, width, headStride: width }),
        chunk: ({ keyStart, keyCount }) => rowsOf(made, keyStart, keyCount),
      }
    },
  }
}

/** The decoder as its layers' attention to their own text sees it. */
export function withoutSource(model: Decoder): Decoder {
  if (!model.config.source) return model
  return { ...model, config: { ...model.config, layers: model.config.layers.map(({ cross: _, ...own }) => own) } }
}
