/** Bytes of what is remembered: per token, per sequence, and how many tokens fit into so many bytes. */
import type { CacheFormat, RowSegment } from './cache-format.ts'
import { keptSegments } from './cache-format.ts'
import type { LayerKind } from './plan-model.ts'

/** Cache memory of equal layers. */
export interface CacheKind {
  /** Number of layers. */
  readonly layers: number
  /** Kind of their attention. */
  readonly attention: LayerKind['attention']['kind']
  /** Keys that a query sees, itself included; null: all before it. */
  readonly window: number | null
  /** The vectors of a row, in order; empty if the layers cache no rows. */
  readonly segments: readonly RowSegment[]
  /** One token in one layer. */
  readonly rowBytes: number
  /** One token in all of these layers, before any window has passed it. */
  readonly bytesPerToken: number
  /** What all of these layers keep of a sequence whatever its length. */
  readonly stateBytes: number
}

/** States are kept in f32, as llama.cpp keeps them. */
const STATE_BYTES = 4

export function cacheKinds(layers: readonly LayerKind[], format: CacheFormat): CacheKind[] {
  return layers.map(layer => {
    const segments = keptSegments(layer, format)
    const rowBytes = segments.reduce((n, s) => n + s.bytes, 0)
    const { count, window, attention } = layer
    return {
      layers: count,
      attention: attention.kind,
      window,
      segments,
      rowBytes,
      bytesPerToken: count * rowBytes,
      stateBytes: count * layerStateBytes(layer),
    }
  })
}

/** One sequence's state in one layer. */
export function layerStateBytes({ attention }: LayerKind): number {
  return attention.kind === 'state' ? STATE_BYTES * attention.numbers : 0
}

/** One token in all layers while no window has passed it: what each further token costs in a short context. */
export function bytesPerToken(kinds: readonly CacheKind[]): number {
  return kinds.reduce((n, k) => n + k.bytesPerToken, 0)
}

/** What each further token costs once it is beyond every window: layers with a window have stopped growing. */
export function bytesPerTokenBeyondWindows(kinds: readonly CacheKind[]): number {
  return kinds.reduce((n, k) => n + (k.window === null ? k.bytesPerToken : 0), 0)
}

/**
 * Rows to set aside in a layer for a sequence that grows, a token at a time, to `context` tokens: whole blocks, and
 * with a window the most blocks that it ever straddles. Never falls when the context grows.
 */
function rowsNeeded(context: number, window: number | null, blockTokens: number): number {
  const blocks = Math.ceil(context / blockTokens)
  const straddled = window === null ? blocks : Math.ceil((window + blockTokens - 1) / blockTokens)
  return Math.min(blocks, straddled) * blockTokens
}

/**
 * Rows whose blocks the engine holds after exactly `context` tokens: blocks that the next query's window has passed
 * are freed already, so it may be one block fewer than `rowsNeeded`.
 */
export function rowsHeld(context: number, window: number | null, blockTokens: number): number {
  const passed = window === null ? 0 : Math.max(0, Math.floor((context - window + 1) / blockTokens))
  return Math.max(0, Math.ceil(context / blockTokens) - passed) * blockTokens
}

type Rows = typeof rowsNeeded

/** Bytes of one sequence's cache. */
export function sequenceBytes(
  kinds: readonly CacheKind[],
  context: number,
  blockTokens: number,
  rows: Rows = rowsNeeded,
): number {
  return kinds.reduce((n, k) => n + k.stateBytes + k.bytesPerToken * rows(context, k.window, blockTokens), 0)
}

/** Longer than any text; what still fits then has no largest context. */
const LONGEST = 2 ** 40

/** The most tokens that fit, where fewer always do; 0: not one; Infinity: any number. */
export function mostTokens(fits: (tokens: number) => boolean): number {
  if (fits(LONGEST)) return Number.POSITIVE_INFINITY
  let [low, high] = [0, LONGEST]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

/** The longest context whose cache fits into `bytes` for each of `batch` sequences. */
export function largestContext(kinds: readonly CacheKind[], bytes: number, batch: number, blockTokens: number): number {
  return mostTokens(context => batch * sequenceBytes(kinds, context, blockTokens) <= bytes)
}

/** How many sequences of `context` tokens fit into `bytes`. */
export function largestBatch(kinds: readonly CacheKind[], bytes: number, context: number, blockTokens: number): number {
  return Math.max(0, Math.floor(bytes / sequenceBytes(kinds, context, blockTokens)))
}
