/**
 * Multiply-adds of attention, counted twice as usual for FLOPs, and of everything else. Norms, softmax and activations
 * are left out: they are below a percent of a step.
 */

import type { AttentionShape, LatentShape } from '../families/descriptor.ts'
import { layerStateBytes } from './cache-bytes.ts'
import { type CacheFormat, rowSegments } from './cache-format.ts'
import type { LayerKind, PlanModel } from './plan-model.ts'
import { weightParts } from './weight-parts.ts'
import { touched } from './weights.ts'

export type AttentionPathName = 'absorbed' | 'expanded'

export interface LinearFlops {
  readonly body: number
  readonly experts: number
  readonly output: number
}

/** FLOPs of all products of one token with weights, but for those of W_UK and W_UV, which the path decides. */
export function linearFlops(model: PlanModel): LinearFlops {
  const flops = { body: 0, experts: 0, output: 0 }
  for (const part of weightParts(model, { draft: false })) {
    const products = 2 * touched(part, 1) * part.rows * part.cols
    if (part.role === 'output') flops.output += products
    else if (part.role === 'expert') flops.experts += products
    else if (part.role === 'matrix' || part.role === 'router') flops.body += products
  }
  return flops
}

/** Norms, ropes, cache rows, gates and joins of a step in our engine, beside products and attention. */
export function smallOperations({ layers, norm, learnedPositions }: PlanModel): number {
  const perLayer = ({ attention, mlp, beside }: LayerKind) => {
    const own =
      attention.kind === 'latent'
        ? attention.qLoraRank === null
          ? 7
          : 8
        : attention.kind === 'state'
          ? 8
          : norm.qk
            ? 6
            : 4
    const joins = norm.perLayer === 4 ? 2 : 0
    return norm.perLayer + own + joins + (mlp.kind === 'moe' ? 5 : 1) + (beside ? 6 : 0)
  }
  const around = 3 + (learnedPositions > 0 ? 2 : 1)
  return layers.reduce((n, l) => n + l.count * perLayer(l), around)
}

/** `count` queries behind `before` cached tokens. */
export interface Span {
  readonly before: number
  readonly count: number
}

/** FLOPs of attention for one sequence's queries in all layers, choosing keys by an indexer included. */
export function attentionFlops(layers: readonly LayerKind[], path: AttentionPathName, span: Span): number {
  return layers.reduce((n, l) => n + l.count * layerFlops(l, path, span), 0)
}

/** Of a state, per token: decayed, read by the key, written, read by the query. */
const STATE_PASSES = 4

function layerFlops(layer: LayerKind, path: AttentionPathName, span: Span): number {
  const { attention: a, window, indexer, cross } = layer
  if (a.kind === 'state') return 2 * STATE_PASSES * a.numbers * span.count
  const seen = Math.min(window ?? Number.POSITIVE_INFINITY, indexer?.topK ?? Number.POSITIVE_INFINITY)
  const pairs = seenPairs(span, seen)
  const chosen =
    indexer && !indexer.shared ? 2 * indexer.nHeads * indexer.headDim * seenPairs(span, Number.POSITIVE_INFINITY) : 0
  const keys = Math.min(span.before + span.count, (window ?? Number.POSITIVE_INFINITY) + span.count - 1)
  // Each query sees all of a source that is as long as the text.
  const source = cross ? 2 * span.count * (span.before + span.count) * multipliesPerPair(cross, path) : 0
  return chosen + source + 2 * pairs * multipliesPerPair(a, path) + 2 * upProjections(a, path, span.count, keys)
}

/** Of (query, key) pairs when each query sees itself and those before it, at most `window` keys. */
export function seenPairs({ before, count }: Span, window: number): number {
  const growing = Math.min(Math.max(window - before, 0), count)
  const full = count - growing
  return growing * before + (growing * (growing + 1)) / 2 + (full > 0 ? full * window : 0)
}

/** Multiply-adds per (query, key) over all heads. */
export function multipliesPerPair(a: AttentionShape, path: AttentionPathName): number {
  if (a.kind === 'grouped') return a.nHeads * (a.keyDim + a.valueDim)
  const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = a
  return path === 'absorbed' ? H * (C + R + C) : H * (N + R + V)
}

/** Absorbed, W_UK and W_UV multiply every query; expanded, every key. */
function upProjections(a: AttentionShape, path: AttentionPathName, queries: number, keys: number): number {
  if (a.kind === 'grouped') return 0
  return (path === 'absorbed' ? queries : keys) * a.nHeads * (a.qkNopeHeadDim + a.vHeadDim) * a.kvLoraRank
}

/**
 * Queries per chunk from which expanding every key is cheaper than absorbing every query, for a long context:
 * T (2C + R) = T (N + R + V) + (N + V) C. Infinity where absorbing is always cheaper.
 */
export function breakEvenQueries({ kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V }: LatentShape): number {
  const saved = 2 * C - (N + V)
  return saved > 0 ? ((N + V) * C) / saved : Number.POSITIVE_INFINITY
}

/** The same for `keys` cached keys, where what absorbing costs per query counts too. */
export function breakEvenAt({ kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V }: LatentShape, keys: number): number {
  const saved = keys * (2 * C - (N + V)) + (N + V) * C
  return saved > 0 ? (keys * (N + V) * C) / saved : Number.POSITIVE_INFINITY
}

/** Bytes of cache that one decoding query reads: of a sparse model all the indexer's keys, but only the chosen rows. */
export function decodeReadBytes(layers: readonly LayerKind[], format: CacheFormat, context: number): number {
  return layers.reduce((n, layer) => {
    const seen = Math.min(context, layer.window ?? Number.POSITIVE_INFINITY)
    const chosen = Math.min(seen, layer.indexer?.topK ?? Number.POSITIVE_INFINITY)
    const rows = rowSegments(layer, format).reduce(
      (bytes, s) => bytes + s.bytes * (s.name === 'indexKey' ? seen : chosen),
      0,
    )
    return n + layer.count * (rows + layerStateBytes(layer))
  }, 0)
}
