import type { CacheSegment } from '../cache/layout.ts'
import { type CacheTypeName, rowTypes } from '../cache/types.ts'
import type { AttentionConfig } from '../nn/attention/config.ts'

/** What a layer caches of a token. Throws OptionError where the types do not suit the attention. */
export function cacheSegments(a: AttentionConfig, types: CacheTypeName): CacheSegment[] {
  const { first, second } = rowTypes(types, a.kind)
  if (a.kind === 'latent') {
    return [
      { name: 'latent', heads: 1, width: a.kvLoraRank, dtype: first },
      { name: 'ropeKey', heads: 1, width: a.qkRopeHeadDim, dtype: second },
    ]
  }
  return [
    { name: 'key', heads: a.nKvHeads, width: a.headDim, dtype: first },
    { name: 'value', heads: a.nKvHeads, width: a.headDim, dtype: second },
  ]
}
