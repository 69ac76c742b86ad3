import { type CacheLayout, type CacheSegment, cacheLayout } from '../cache/layout.ts'
import { type CacheTypeName, type RowTypes, rowTypes } from '../cache/types.ts'
import { type AttentionConfig, type IndexerConfig, ownIndexer } from './attention/config.ts'
import { attends, type LayerConfig } from './config.ts'
import { stateParts } from './states/layout.ts'

/** What a layer caches of a token. Throws OptionError where the types do not suit the attention. */
function cacheSegments(a: AttentionConfig, types: CacheTypeName): CacheSegment[] {
  const { first, second } = rowTypes(types, a.kind)
  if (a.kind === 'latent') {
    const indexer = ownIndexer(a)
    return [
      { name: 'latent', heads: 1, width: a.kvLoraRank, dtype: first },
      { name: 'ropeKey', heads: 1, width: a.qkRopeHeadDim, dtype: second, rotary: true },
      ...(indexer ? [indexKey(indexer, first)] : []),
    ]
  }
  if (a.keysOf !== undefined) return []
  return [
    { name: 'key', heads: a.nKvHeads, width: a.headDim, dtype: first, perHead: true, rotary: true },
    { name: 'value', heads: a.nKvHeads, width: a.headDim, dtype: second, perHead: true },
  ]
}

/**
 * In a plane of its own: scores read all keys one behind the other, attention the other rows of a few. Normed, so f16 holds them as bf16 would,
 * eight times as exact: what is rounded here chooses other keys.
 */
function indexKey({ headDim, interleaved }: IndexerConfig, type: RowTypes['first']): CacheSegment {
  const dtype = type === 'bf16' ? 'f16' : type
  return { name: 'indexKey', heads: 1, width: headDim, dtype, perHead: true, rotary: true, interleaved }
}

/**
 * How a model's cache is laid out: its layers, then what the cross-attention of each reads (`crossRows`). Throws OptionError where the
 * types do not suit the attention of some layer.
 */
export function modelCacheLayout(
  layers: readonly Pick<LayerConfig, 'attention' | 'window' | 'cross'>[],
  types: CacheTypeName,
  blockTokens: number,
): CacheLayout {
  const own = layers.map(({ attention: a, window }) =>
    attends(a) ? { segments: cacheSegments(a, types), window } : { segments: [], window: null, state: stateParts(a) },
  )
  const crosses = layers.flatMap(({ cross }) =>
    cross ? [{ segments: cacheSegments(cross, types), window: null, ofSource: true }] : [],
  )
  return cacheLayout([...own, ...crosses], blockTokens)
}

/** Where the rows that a layer's cross-attention reads stand among those of a model of so many layers. All have such attention, or none. */
export function crossRows(layer: number, nLayers: number): number {
  return nLayers + layer
}
