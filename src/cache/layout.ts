/**
 * What is remembered per token, as data. Each layer caches segments of its own. Layers that see the same keys (all, or a
 * window) form a group with a block table of its own. A block holds `blockTokens` tokens for all layers of its group:
 * [layer][plane][token][row]. What attention reads together lies together: MLA's latent and rope key are the row of one
 * plane; the keys of each head are a plane of their own, and so are its values, so that whoever reads a head reads memory
 * from end to end.
 */
import type { PagedRows, RowSlice } from '../kernels/contract/cached-rows.ts'
import { type CacheType, DTYPE_BYTES, isScaled, vectorAlignment, vectorBytes } from '../tensor/dtype.ts'

/** One kind of vector that a layer caches of a token. */
export interface CacheSegment {
  /** By which the layer's attention finds it: `latent`, `key`, … */
  readonly name: string
  /** Vectors of `width` numbers. */
  readonly heads: number
  readonly width: number
  readonly dtype: CacheType
  /** Each head has a plane of its own. Default: its vectors lie one after the other in the row that segments share. */
  readonly perHead?: boolean
  /** Numbers that rope has rotated by the token's position. */
  readonly rotary?: boolean
}

/** `blockTokens` rows of one layer in a block, one behind the other. */
export interface CachePlane {
  /** Bytes of a token in the layer's planes before this one. */
  readonly before: number
  readonly rowBytes: number
}

export interface CacheLayer {
  /** Index of its group. */
  readonly group: number
  readonly segments: readonly CacheSegment[]
  readonly planes: readonly CachePlane[]
  /** Bytes of a token in the group's layers before this one. */
  readonly before: number
  /** Bytes of a token in all planes of this layer. */
  readonly rowBytes: number
}

export interface CacheGroup {
  /** Indices of the model's layers, rising. */
  readonly layers: readonly number[]
  /** Keys a query sees, itself included; rows that the window has passed are freed. null: all. */
  readonly window: number | null
  /** Bytes of one token in all its layers. */
  readonly rowBytes: number
  /** Bytes of one block: blockTokens x rowBytes. */
  readonly blockBytes: number
}

export interface CacheLayout {
  readonly blockTokens: number
  readonly groups: readonly CacheGroup[]
  /** By layer of the model. */
  readonly layers: readonly CacheLayer[]
  /** Bytes of one token in all layers of all groups, windows not yet passed. */
  readonly bytesPerToken: number
}

/** Where a segment's first vector lies; the others follow in the row, or each in the row of the next plane. */
interface Place {
  readonly plane: number
  readonly offset: number
}

const up = (bytes: number, alignment: number) => Math.ceil(bytes / alignment) * alignment

/** Lays segments as close as their types allow. */
function placeSegments(segments: readonly CacheSegment[]) {
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
      if (s.perHead) close()
      const offset = up(row, vectorAlignment(s.dtype))
      if (head === 0) places.push({ plane: planes.length, offset })
      row = offset + vectorBytes(s.dtype, s.width)
    }
    if (s.perHead) close()
  }
  close()
  return { planes, places, rowBytes: before, alignment }
}

/** Groups layers by window. */
export function cacheLayout(
  layers: readonly { readonly segments: readonly CacheSegment[]; readonly window: number | null }[],
  blockTokens: number,
): CacheLayout {
  const windows = [...new Set(layers.map(layer => layer.window))]
  const filled = windows.map(() => 0)
  const placed = layers.map(({ segments, window }): CacheLayer => {
    const { planes, rowBytes, alignment } = placeSegments(segments)
    const group = windows.indexOf(window)
    const before = up(filled[group] as number, alignment)
    filled[group] = before + rowBytes
    return { group, segments, planes, before, rowBytes }
  })
  const groups = windows.map((window, group): CacheGroup => {
    const rowBytes = filled[group] as number
    const members = placed.flatMap((layer, i) => (layer.group === group ? [i] : []))
    return { layers: members, window, rowBytes, blockBytes: blockTokens * rowBytes }
  })
  return { blockTokens, groups, layers: placed, bytesPerToken: groups.reduce((n, g) => n + g.rowBytes, 0) }
}

/** Where the named segment of a layer lies, for the kernels. */
export function cacheSlice({ blockTokens, layers }: CacheLayout, layer: number, name: string): RowSlice {
  const { segments, planes, before } = layers[layer] as CacheLayer
  const i = segments.findIndex(s => s.name === name)
  const segment = segments[i]
  if (!segment) throw new RangeError(`cacheSlice: layer ${layer} caches no segment "${name}"`)
  const { plane, offset } = placeSegments(segments).places[i] as Place
  const { before: inLayer, rowBytes } = planes[plane] as CachePlane
  const rows: PagedRows = { blockTokens, layerOffset: blockTokens * (before + inLayer), rowBytes }
  const { dtype, heads, width, perHead } = segment
  const headBytes = perHead ? blockTokens * rowBytes : vectorBytes(dtype, width)
  return { rows, dtype, offset, heads, width, headStride: isScaled(dtype) ? headBytes : headBytes / DTYPE_BYTES[dtype] }
}

/** A group's planes in the order in which they lie in a block. `start`: bytes from the block's first. */
export function* planesOf({ blockTokens, layers, groups }: CacheLayout, group: number) {
  for (const index of groups[group]?.layers ?? []) {
    const { before, planes } = layers[index] as CacheLayer
    for (const plane of planes) yield { start: blockTokens * (before + plane.before), rowBytes: plane.rowBytes }
  }
}

/** Bytes of a block that hold its first `tokens` tokens, plane by plane. */
export function* filledParts(layout: CacheLayout, group: number, tokens: number) {
  for (const { start, rowBytes } of planesOf(layout, group)) {
    yield { start, bytes: tokens * rowBytes, room: layout.blockTokens * rowBytes }
  }
}
