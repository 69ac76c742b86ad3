/**
 * What the cache stores per token, as data. Each layer caches its own segments. Layers with the same window form a group
 * with its own block tables. A block holds `blockTokens` tokens for all layers of its group:
 * [layer][plane][token][row]. Numbers that attention reads together are stored together: MLA's latent and rope key form
 * one plane; each head's keys form a plane, and so do its values, so that attention over a head reads memory sequentially.
 *
 * The groups stand in this order: those of the text's rows, by window; one for what cross-attention reads, whose rows are of the
 * source's tokens; one for layers that carry a state in place of keys. A state's block holds no rows but the states of all these
 * layers after the last token of the block: `SequenceStates` says which of them a sequence has.
 */
import type { PagedRows, RowSlice } from '../kernels/contract/cached-rows.ts'
import type { StatePlace } from '../kernels/contract/states.ts'
import { type CacheType, DTYPE_BYTES, isScaled, vectorAlignment, vectorBytes } from '../tensor/dtype.ts'

/** One kind of vector that a layer caches per token. */
export interface CacheSegment {
  /** Name by which the layer's attention finds it: `latent`, `key`, … */
  readonly name: string
  /** Number of vectors per token, each of `width` numbers. */
  readonly heads: number
  readonly width: number
  readonly dtype: CacheType
  /** Each head has its own plane. Default: its vectors are consecutive in the row that the segments share. */
  readonly perHead?: boolean
  /** Numbers that rope has rotated by the token's position. */
  readonly rotary?: boolean
  /** In neighbouring pairs, or in halves. Default: as the layer's rope. */
  readonly interleaved?: boolean
}

/** A part of what a layer carries from token to token, in f32. */
export interface StatePart {
  /** Name by which the layer finds it: `convolution`, `delta`. */
  readonly name: string
  readonly numbers: number
}

/** What a layer caches: segments of each token of the text or, for its cross-attention, of the source; or a state. */
export interface CachedLayer {
  readonly segments: readonly CacheSegment[]
  readonly window: number | null
  /** Its rows are of the source's tokens. Default false. */
  readonly ofSource?: boolean
  /** Default: it keeps rows. */
  readonly state?: readonly StatePart[]
}

/** `blockTokens` rows of one layer in a block, contiguous. */
export interface CachePlane {
  /** Bytes per token of the layer's planes before this one. */
  readonly before: number
  readonly rowBytes: number
}

export interface CacheLayer {
  /** Index of its group. */
  readonly group: number
  readonly segments: readonly CacheSegment[]
  readonly planes: readonly CachePlane[]
  /** Bytes per token of the group's layers before this one. */
  readonly before: number
  /** Bytes per token of all planes of this layer. */
  readonly rowBytes: number
  /** Of a layer with a state in place of rows: its parts, by where they begin in a block. Default: it has rows. */
  readonly state?: readonly (StatePart & { readonly offset: number })[]
}

export interface CacheGroup {
  /** Indices of `CacheLayout.layers`, ascending. */
  readonly layers: readonly number[]
  /** Its rows are of the source's tokens. */
  readonly ofSource: boolean
  /** Number of keys that a query sees, its own included; older rows are freed. null: all. */
  readonly window: number | null
  /** Bytes of one token in all its layers. */
  readonly rowBytes: number
  /** Bytes of one block: blockTokens x rowBytes, or of the states of all its layers. */
  readonly blockBytes: number
  /** Its blocks hold states in place of rows. Default false. */
  readonly states?: boolean
}

export interface CacheLayout {
  readonly blockTokens: number
  readonly groups: readonly CacheGroup[]
  /** By layer of the model; then, of those with cross-attention, what it reads. */
  readonly layers: readonly CacheLayer[]
  /** Bytes of one token in all layers of all groups, before any window has passed it. The source's tokens apart. */
  readonly bytesPerToken: number
  /** Bytes of one token of a source text. */
  readonly sourceBytesPerToken: number
}

/** Where a segment's first vector lies. The others follow in the same row, or one in each of the next planes. */
interface Place {
  readonly plane: number
  readonly offset: number
}

const roundUp = (bytes: number, alignment: number) => Math.ceil(bytes / alignment) * alignment

/** Packs segments as tightly as the alignment of their types allows. */
function placeSegments(segments: readonly CacheSegment[]) {
  const alignment = Math.max(1, ...segments.map(s => vectorAlignment(s.dtype)))
  const planes: CachePlane[] = []
  const places: Place[] = []
  let before = 0
  let row = 0
  const closePlane = () => {
    if (row > 0) planes.push({ before, rowBytes: roundUp(row, alignment) })
    before += roundUp(row, alignment)
    row = 0
  }
  for (const s of segments) {
    for (let head = 0; head < s.heads; head++) {
      if (s.perHead) closePlane()
      const offset = roundUp(row, vectorAlignment(s.dtype))
      if (head === 0) places.push({ plane: planes.length, offset })
      row = offset + vectorBytes(s.dtype, s.width)
    }
    if (s.perHead) closePlane()
  }
  closePlane()
  return { planes, places, rowBytes: before, alignment }
}

/** Groups layers by window; behind them what is of a source, and last what carries states. */
export function cacheLayout(layers: readonly CachedLayer[], blockTokens: number): CacheLayout {
  const windows = [...new Set(layers.filter(layer => !layer.state && !layer.ofSource).map(layer => layer.window))]
  const ofText = windows.map(window => ({ window, ofSource: false }))
  const withRows = layers.some(layer => layer.ofSource) ? [...ofText, { window: null, ofSource: true }] : ofText
  const filled = withRows.map(() => 0)
  let stateBytes = 0
  const placed = layers.map(({ segments, window, ofSource, state }): CacheLayer => {
    if (state) {
      const parts = state.map(part => {
        const offset = stateBytes
        stateBytes += DTYPE_BYTES.f32 * part.numbers
        return { ...part, offset }
      })
      return { group: withRows.length, segments: [], planes: [], before: 0, rowBytes: 0, state: parts }
    }
    const { planes, rowBytes, alignment } = placeSegments(segments)
    const group = ofSource ? windows.length : windows.indexOf(window)
    const before = roundUp(filled[group] as number, alignment)
    filled[group] = before + rowBytes
    return { group, segments, planes, before, rowBytes }
  })
  const membersOf = (group: number) => placed.flatMap((layer, i) => (layer.group === group ? [i] : []))
  const groups = withRows.map((kind, group): CacheGroup => {
    const rowBytes = filled[group] as number
    return { layers: membersOf(group), ...kind, rowBytes, blockBytes: blockTokens * rowBytes }
  })
  if (stateBytes > 0) {
    const members = membersOf(withRows.length)
    groups.push({ layers: members, window: null, ofSource: false, rowBytes: 0, blockBytes: stateBytes, states: true })
  }
  const bytes = (ofSource: boolean) => groups.reduce((n, g) => n + (g.ofSource === ofSource ? g.rowBytes : 0), 0)
  return { blockTokens, groups, layers: placed, bytesPerToken: bytes(false), sourceBytesPerToken: bytes(true) }
}

/** Index of the group with the rows of a source; -1: no layer reads one. */
export function sourceGroup({ groups }: Pick<CacheLayout, 'groups'>): number {
  return groups.findIndex(({ ofSource }) => ofSource)
}

/** Bytes of one state of all layers that carry one; 0: there are none. */
export function stateBytes({ groups }: Pick<CacheLayout, 'groups'>): number {
  return groups.find(({ states }) => states)?.blockBytes ?? 0
}

/** Where kernels find the named part of a layer's state. */
export function statePlace({ blockTokens, layers }: CacheLayout, layer: number, name: string): StatePlace {
  const part = layers[layer]?.state?.find(one => one.name === name)
  if (!part) throw new RangeError(`statePlace: layer ${layer} carries no "${name}"`)
  return { blockTokens, offset: part.offset }
}

/** Describes the named segment of a layer to the kernels. */
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

/** A group's planes in the order of a block. `start`: byte offset in the block. */
export function* planesOf({ blockTokens, layers, groups }: CacheLayout, group: number) {
  for (const index of groups[group]?.layers ?? []) {
    const { before, planes } = layers[index] as CacheLayer
    for (const plane of planes) yield { start: blockTokens * (before + plane.before), rowBytes: plane.rowBytes }
  }
}

/** The byte ranges of a block that hold its first `tokens` tokens: one per plane. `room`: bytes of a full plane. */
export function* filledParts(layout: CacheLayout, group: number, tokens: number) {
  for (const { start, rowBytes } of planesOf(layout, group)) {
    yield { start, bytes: tokens * rowBytes, room: layout.blockTokens * rowBytes }
  }
}
