/**
 * What is remembered per token, as data. Layers that see the same keys (all, or a window) form a group with a block
 * table of its own. A token's memory in a layer is one contiguous row of segments; a block holds the rows of
 * `blockTokens` tokens for all layers of its group: [layer][token][row].
 */
import type { PagedRows, RowSlice } from '../kernels/contract.ts'
import { type CacheType, isScaled, vectorAlignment, vectorBytes } from '../tensor/dtype.ts'

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
  return s.heads * vectorBytes(s.dtype, s.width)
}

/** Where each segment begins in a row, and the row's bytes: segments lie as close as their types allow. */
function placeSegments(segments: readonly CacheSegment[]): { readonly offsets: readonly number[]; rowBytes: number } {
  const up = (bytes: number, alignment: number) => Math.ceil(bytes / alignment) * alignment
  const offsets: number[] = []
  let end = 0
  for (const s of segments) {
    const offset = up(end, vectorAlignment(s.dtype))
    offsets.push(offset)
    end = offset + segmentBytes(s)
  }
  return { offsets, rowBytes: up(end, Math.max(1, ...segments.map(s => vectorAlignment(s.dtype)))) }
}

/** Groups layers by window; every layer has the same segments. */
export function cacheLayout(
  segments: readonly CacheSegment[],
  windows: readonly (number | null)[],
  blockTokens: number,
): CacheLayout {
  const { rowBytes } = placeSegments(segments)
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
  const i = segments.findIndex(s => s.name === name)
  const segment = segments[i]
  if (!segment) throw new RangeError(`cacheSlice: rows of this cache have no segment "${name}"`)
  const { dtype, heads, width } = segment
  const headStride = isScaled(dtype) ? vectorBytes(dtype, width) : width
  return { rows, dtype, offset: placeSegments(segments).offsets[i] as number, heads, width, headStride }
}
