/**
 * What is remembered per token, as data. Layers that see the same keys (all, or a window) form a group with a block
 * table of its own. A token's memory in a layer is one contiguous row of segments; a block holds the rows of
 * `blockTokens` tokens for all layers of its group: [layer][token][row].
 */
import type { PagedRows, RowSlice } from '../kernels/contract.ts'
import { type CacheType, DTYPE_BYTES } from '../tensor/dtype.ts'

export interface CacheSegment {
  /** `latent` and `ropeKey` for MLA, `key` and `value` for grouped attention. */
  readonly name: 'latent' | 'ropeKey' | 'key' | 'value'
  /** Vectors of `width` numbers, one after the other. */
  readonly heads: number
  readonly width: number
  readonly dtype: CacheType
}

export interface CacheGroup {
  /** Indices of the model's layers, rising. */
  readonly layers: readonly number[]
  /** Keys a query sees, itself included; rows that the window has passed are freed. null: all. */
  readonly window: number | null
  readonly segments: readonly CacheSegment[]
  /** Bytes of one token in one layer. */
  readonly rowBytes: number
  /** Bytes of one block: layers x blockTokens x rowBytes. */
  readonly blockBytes: number
}

export interface CacheLayout {
  readonly blockTokens: number
  readonly groups: readonly CacheGroup[]
  /** Bytes of one token in all layers of all groups, windows not yet passed. */
  readonly bytesPerToken: number
  /** Group and place in it, by layer of the model. */
  readonly places: readonly { readonly group: number; readonly index: number }[]
}

export function segmentBytes(s: CacheSegment): number {
  return s.heads * s.width * DTYPE_BYTES[s.dtype]
}

/** Groups layers by window; every layer has the same segments. */
export function cacheLayout(
  segments: readonly CacheSegment[],
  windows: readonly (number | null)[],
  blockTokens: number,
): CacheLayout {
  const rowBytes = segments.reduce((n, s) => n + segmentBytes(s), 0)
  const distinct = [...new Set(windows)]
  const groups = distinct.map(window => {
    const layers = windows.flatMap((w, layer) => (w === window ? [layer] : []))
    return { layers, window, segments, rowBytes, blockBytes: layers.length * blockTokens * rowBytes }
  })
  const places = windows.map((window, layer) => {
    const group = distinct.indexOf(window)
    return { group, index: (groups[group] as CacheGroup).layers.indexOf(layer) }
  })
  return { blockTokens, groups, places, bytesPerToken: rowBytes * windows.length }
}

/** Where the named segment of a layer lies, for the kernels. */
export function cacheSlice(layout: CacheLayout, layer: number, name: CacheSegment['name']): RowSlice {
  const { group, index } = layout.places[layer] as CacheLayout['places'][number]
  const { segments, rowBytes } = layout.groups[group] as CacheGroup
  const rows: PagedRows = {
    blockTokens: layout.blockTokens,
    layerOffset: index * layout.blockTokens * rowBytes,
    rowBytes,
  }
  let offset = 0
  for (const s of segments) {
    if (s.name === name) return { rows, dtype: s.dtype, offset, heads: s.heads, width: s.width, headStride: s.width }
    offset += segmentBytes(s)
  }
  throw new RangeError(`cacheSlice: rows of this cache have no segment "${name}"`)
}
