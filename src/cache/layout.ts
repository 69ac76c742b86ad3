/**
 * What is remembered per token, as data. Layers that see the same keys (all, or a window) form a group with a block
 * table of its own. A block holds `blockTokens` tokens for all layers of its group: [layer][plane][token][row]. What
 * attention reads together lies together: MLA's latent and rope key are the row of one plane; the keys of each head are
 * a plane of their own, and so are its values, so that whoever reads a head reads memory from end to end.
 */
import type { PagedRows, RowSlice } from '../kernels/contract/cached-rows.ts'
import { type CacheType, DTYPE_BYTES, isScaled, vectorAlignment, vectorBytes } from '../tensor/dtype.ts'

export interface CacheSegment {
  /** `latent` and `ropeKey` for MLA, `key` and `value` for grouped attention. */
  readonly name: 'latent' | 'ropeKey' | 'key' | 'value'
  /** Vectors of `width` numbers, one after the other. */
  readonly heads: number
  readonly width: number
  readonly dtype: CacheType
}

/** Rows of a layer's tokens in a block, one behind the other. */
export interface CachePlane {
  /** Bytes of a token in the planes before this one. */
  readonly before: number
  readonly rowBytes: number
}

export interface CacheGroup {
  /** Indices of the model's layers, rising. */
  readonly layers: readonly number[]
  /** Keys a query sees, itself included; rows that the window has passed are freed. null: all. */
  readonly window: number | null
  readonly segments: readonly CacheSegment[]
  readonly planes: readonly CachePlane[]
  /** Bytes of one token in one layer, in all planes. */
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

/** Where a segment's first vector lies; the others follow in the row, or each in the row of the next plane. */
interface Place {
  readonly plane: number
  readonly offset: number
}

const isApart = ({ name }: CacheSegment) => name === 'key' || name === 'value'

/** Lays segments as close as their types allow. */
function placeSegments(segments: readonly CacheSegment[]) {
  const up = (bytes: number, alignment: number) => Math.ceil(bytes / alignment) * alignment
  const alignment = Math.max(1, ...segments.map(s => vectorAlignment(s.dtype)))
  const planes: CachePlane[] = []
  const places: Place[] = []
  let before = 0
  let row = 0
  const close = () => {
    if (row > 0) planes.push({ before, rowBytes: up(row, alignment) })
    before += up(row, alignment)
    row = 0
  }
  for (const s of segments) {
    for (let head = 0; head < s.heads; head++) {
      if (isApart(s)) close()
      const offset = up(row, vectorAlignment(s.dtype))
      if (head === 0) places.push({ plane: planes.length, offset })
      row = offset + vectorBytes(s.dtype, s.width)
    }
    if (isApart(s)) close()
  }
  close()
  return { planes, places, rowBytes: before }
}

/** Groups layers by window; every layer has the same segments. */
export function cacheLayout(
  segments: readonly CacheSegment[],
  windows: readonly (number | null)[],
  blockTokens: number,
): CacheLayout {
  const { planes, rowBytes } = placeSegments(segments)
  const distinct = [...new Set(windows)]
  const groups = distinct.map(window => {
    const layers = windows.flatMap((w, layer) => (w === window ? [layer] : []))
    return { layers, window, segments, planes, rowBytes, blockBytes: layers.length * blockTokens * rowBytes }
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
  const { segments, planes, rowBytes } = layout.groups[group] as CacheGroup
  const i = segments.findIndex(s => s.name === name)
  const segment = segments[i]
  if (!segment) throw new RangeError(`cacheSlice: rows of this cache have no segment "${name}"`)
  const { plane, offset } = placeSegments(segments).places[i] as Place
  const { before, rowBytes: planeRow } = planes[plane] as CachePlane
  const rows: PagedRows = {
    blockTokens: layout.blockTokens,
    layerOffset: layout.blockTokens * (index * rowBytes + before),
    rowBytes: planeRow,
  }
  const { dtype, heads, width } = segment
  const headBytes = isApart(segment) ? layout.blockTokens * planeRow : vectorBytes(dtype, width)
  return { rows, dtype, offset, heads, width, headStride: isScaled(dtype) ? headBytes : headBytes / DTYPE_BYTES[dtype] }
}

/** Bytes of a block that hold its first `tokens` tokens, layer by layer and plane by plane. */
export function* filledParts({ blockTokens }: CacheLayout, { layers, planes, rowBytes }: CacheGroup, tokens: number) {
  for (const layer of layers.keys()) {
    for (const plane of planes) {
      const start = blockTokens * (layer * rowBytes + plane.before)
      yield { start, bytes: tokens * plane.rowBytes, room: blockTokens * plane.rowBytes }
    }
  }
}
