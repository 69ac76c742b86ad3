import { type CacheLayout, type CacheSegment, cacheLayout } from '../cache/layout.ts'
import { type CacheTypeName, rowTypes } from '../cache/types.ts'
import type { AttentionConfig } from './attention/config.ts'
import type { LayerConfig } from './config.ts'

/** What a layer caches of a token. Throws OptionError where the types do not suit the attention. */
function cacheSegments(a: AttentionConfig, types: CacheTypeName): CacheSegment[] {
  const { first, second } = rowTypes(types, a.kind)
  if (a.kind === 'latent') {
    return [
      { name: 'latent', heads: 1, width: a.kvLoraRank, dtype: first },
      { name: 'ropeKey', heads: 1, width: a.qkRopeHeadDim, dtype: second, rotary: true },
    ]
  }
  return [
    { name: 'key', heads: a.nKvHeads, width: a.headDim, dtype: first, perHead: true, rotary: true },
    { name: 'value', heads: a.nKvHeads, width: a.headDim, dtype: second, perHead: true },
  ]
}

/** How a model's cache is laid out. Throws OptionError where the types do not suit the attention of some layer. */
export function modelCacheLayout(
  layers: readonly Pick<LayerConfig, 'attention' | 'window'>[],
  types: CacheTypeName,
  blockTokens: number,
): CacheLayout {
  return cacheLayout(
    layers.map(({ attention, window }) => ({ segments: cacheSegments(attention, types), window })),
    blockTokens,
  )
}
