/** What the two paths of MLA do with W_UK and W_UV, one step at a time, on latents that are given. */
import { OptionError } from '../errors.ts'
import { attendAbsorbed } from '../nn/attention/mla-absorbed.ts'
import { attendExpanded } from '../nn/attention/mla-expanded.ts'
import {
  absorbQueries as absorb,
  expandLatents as expand,
  upProjectValues as upProject,
} from '../nn/attention/mla-up.ts'
import type { AttentionPath } from '../nn/attention/path.ts'
import type { StepGroup } from '../nn/attention/runs.ts'
import type { AttentionStep, StoredLatents } from '../nn/attention/step.ts'
import { prepareStep } from '../nn/step.ts'
import { choice, whole } from '../options/kinds.ts'
import { readArgument } from '../options/read-options.ts'
import { lastOf, rowsOf, type Tensor } from '../tensor/tensor.ts'
import { hidden } from './attend.ts'
import type { LatentLayer } from './layers.ts'
import { expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** Keys and values of every head. */
export interface KeysValues {
  /** k_h = W_UK,h c: [S, H, N] */
  readonly keys: Tensor
  /** v_h = W_UV,h c: [S, H, V] */
  readonly values: Tensor
}

/** Expanded: keys and values of every head from latents [S, C], after their norm (V2 paper, eq. 42 and 45). */
export function expandLatents(bench: Workbench, layer: LatentLayer, latents: Tensor): KeysValues {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = layer.config
  const [S] = expectShape('latents', latents, axes('S', ['C', C])) as [number]
  const all = bench.scratch.take([S, H, N + V])
  expand(bench.ops, all, bench.shaped(latents, [S, C]), layer.weights.keyValueUp, layer.config, 'f32')
  return { keys: lastOf(all, 0, N), values: lastOf(all, N, V) }
}

/** Absorbed: queries without positions [T, H, N] into the latents' space, W_UK,hᵀ q_h: [T, H, C]. */
export function absorbQueries(bench: Workbench, layer: LatentLayer, queries: Tensor): Tensor {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N } = layer.config
  const [T] = expectShape('queries', queries, axes('T', ['H', H], ['N', N])) as [number]
  const absorbed = bench.scratch.take([T, H, C])
  absorb(bench.ops, absorbed, queries, layer.weights.keyValueUp, layer.config)
  return absorbed
}

/** Absorbed: weighted sums of latents [T, H, C] to values of every head, W_UV,h x_h: [T, H, V]. */
export function upProjectValues(bench: Workbench, layer: LatentLayer, sums: Tensor): Tensor {
  const { nHeads: H, kvLoraRank: C, vHeadDim: V } = layer.config
  const [T] = expectShape('sums', sums, axes('T', ['H', H], ['C', C])) as [number]
  const values = bench.scratch.take([T, H, V])
  upProject(bench.ops, values, sums, layer.weights.keyValueUp, layer.config)
  return values
}

/** What queries of MLA look at. */
export interface QueriesLatents {
  /** Per head N numbers without positions, then R rotated ones: [T, H, N + R] */
  readonly queries: Tensor
  /** Latents after their norm, [S, C]. */
  readonly latents: Tensor
  /** Rotated rope keys, shared by the heads, [S, R]. */
  readonly ropeKeys: Tensor
}

/** Options of `attendLatents`. */
export interface LatentOptions {
  /** How it is computed; both give the same numbers, but for rounding. */
  readonly path: AttentionPath
  /** Position of the first query; the last one may not be behind the latents. Default: the queries are the last of their positions. */
  readonly firstQuery?: number
  /** Return the probabilities, too. Default false. */
  readonly pattern?: boolean
}

/** Result of `attendLatents`. */
export interface AttendedLatents {
  /** What the heads found, before the output projection: [T, H, V]. */
  readonly out: Tensor
  /** Probabilities [H, T, S]; null unless asked for. */
  readonly pattern: Tensor | null
}

/**
 * Attention of MLA over latents and rope keys that are given, on one path or the other: what `attend` does after its projections. Throws
 * OptionError.
 */
export function attendLatents(
  bench: Workbench,
  layer: LatentLayer,
  { queries, latents, ropeKeys }: QueriesLatents,
  options: LatentOptions,
): AttendedLatents {
  const { config } = layer
  const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = config
  const [T] = expectShape('queries', queries, axes('T', ['H', H], ['N + R', N + R])) as [number]
  const [S] = expectShape('latents', latents, axes('S', ['C', C])) as [number]
  expectShape('ropeKeys', ropeKeys, [
    ['S', S],
    ['R', R],
  ])
  const path = readArgument<AttentionPath>(choice(['expanded', 'absorbed']), 'path', options.path)
  if (T > S) throw new OptionError(`queries has ${T} tokens, latents ${S}; expected a latent for each query`)
  // Every query's own latent is read.
  const firstQuery = readArgument<number>(whole(0, S - T), 'firstQuery', options.firstQuery ?? S - T)
  const { ops, scratch, kernels } = bench
  const out = scratch.take([T, H, V])
  const pattern = options.pattern ? hidden(bench, [H, T, S]) : null
  const stored: StoredLatents = {
    latent: givenRows(bench.shaped(latents, [S, C])),
    ropeKey: givenRows(bench.shaped(ropeKeys, [S, R])),
  }
  const keys = { groups: 1, apart: true }
  const past = { length: firstQuery, keyStart: () => 0, blockIds: () => new Int32Array() }
  const input = { tokens: new Int32Array(T), cache: past, prompt: null, logits: 'none', path } as const
  const planned = { ropes: [], rowRules: { latent: true, ropeLimit: Number.POSITIVE_INFINITY } }
  const group = prepareStep(kernels.memory, scratch, [input], keys, planned).groups[0] as StepGroup
  const step: AttentionStep = {
    ops,
    scratch,
    keys: { ...keys, groupOf: () => 0, put: () => stored.latent, stored: () => stored.latent, state: () => null },
    layer: 0,
    tokens: T,
    group,
    window: layer.window,
    rope: null,
    pattern,
    selected: null,
  }
  const { keyValueUp } = layer.weights
  for (const run of group.absorbed) attendAbsorbed(step, keyValueUp, config, stored, queries, out, run)
  for (const span of group.expanded) attendExpanded(step, keyValueUp, config, stored, queries, out, span)
  return { out, pattern }
}

/** Rows [S, width] of all keys as a key store would have them. */
function givenRows(rows: Tensor): StoredLatents['latent'] {
  const [S, width] = rows.shape as [number, number]
  return {
    exact: true,
    capacity: S,
    slice: () => ({ rows, dtype: 'f32', offset: 0, heads: 1, width, headStride: width }),
    chunk: ({ keyStart, keyCount }) => rowsOf(rows, keyStart, keyCount),
  }
}

function axes(first: string, ...others: (readonly [string, number])[]): (readonly [string, number | null])[] {
  return [[first, null], ...others]
}
