/** Layers of attention: their sizes, checked, and their weights. */
import { OptionError } from '../errors.ts'
import type { GroupedAttentionConfig, LatentAttentionConfig } from '../nn/attention/config.ts'
import type { GroupedWeights } from '../nn/attention/grouped.ts'
import type { LatentWeights } from '../nn/attention/mla.ts'
import { type RopeSet, ropeSet } from '../nn/attention/rope-angles.ts'
import { above, flag, type Kind, number, type OptionRow, type OptionTable, whole } from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import { fillNormals } from '../sampling/normals.ts'
import { checkSeed, Rng } from '../sampling/rng.ts'
import { expectNumbers } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** What layers of every kind have in common. */
export interface LayerSizes {
  /** D: numbers of a token's vector. */
  readonly hiddenSize: number
  /** H: query heads. */
  readonly nHeads: number
  /** Base of the rotary positions; null: none. Default 10000. */
  readonly ropeTheta?: number | null
  /** Rope rotates the pairs (2i, 2i + 1); else (i, i + half). Default: true for MLA, false for the others. */
  readonly ropeInterleaved?: boolean
  /** Keys that a query sees, itself included; null: all before it. Default null. */
  readonly window?: number | null
  /** Of the weights, where none are given. Default 0. */
  readonly seed?: number
}

/** Sizes of multi-head attention, and of its relatives with fewer key and value heads. */
export interface GroupedSizes extends LayerSizes {
  /** G: key and value heads, a divisor of `nHeads`. Default: `nHeads` (MHA). 1: MQA. */
  readonly nKvHeads?: number
  /** d: numbers of a head. Default: hiddenSize / nHeads. */
  readonly headDim?: number
  /** Numbers of a head that rope rotates, its first; even, at most `headDim`. Default: all (partial RoPE: fewer). */
  readonly ropeDim?: number
}

/** Sizes of Multi-head Latent Attention, by the names of DeepSeek's config.json. */
export interface LatentSizes extends LayerSizes {
  /** Q: rank of the query's down-projection; null: queries are projected directly. Default null. */
  readonly qLoraRank?: number | null
  /** C: numbers of the latent. */
  readonly kvLoraRank: number
  /** N: numbers of a head without positions. */
  readonly qkNopeHeadDim: number
  /** R: numbers of a head that rope rotates; even. */
  readonly qkRopeHeadDim: number
  /** V: numbers of a head's value. */
  readonly vHeadDim: number
  /** Factor of the scores. Default (N + R)^-0.5. */
  readonly softmaxScale?: number
  /** eps of the norms of latents. Default 1e-6. */
  readonly latentNormEps?: number
}

/** Numbers of a grouped layer's weights, row by row as checkpoints store them: a row per output. */
export interface GroupedNumbers {
  /** W_Q [H d, D] */
  readonly query: ArrayLike<number>
  /** W_K [G d, D] */
  readonly key: ArrayLike<number>
  /** W_V [G d, D] */
  readonly value: ArrayLike<number>
  /** W_O [D, H d] */
  readonly out: ArrayLike<number>
}

/** Numbers of an MLA layer's weights, row by row as checkpoints store them: a row per output. */
export interface LatentNumbers {
  /** W_DQ [Q, D] (`q_a_proj`), with `qLoraRank` only. */
  readonly queryDown?: ArrayLike<number>
  /** Of the norm on the query's latent [Q], with `qLoraRank` only. */
  readonly queryNorm?: ArrayLike<number>
  /** W_UQ and W_QR, or W_Q: per head N rows without positions, then R rotated ones: [H (N + R), Q or D] (`q_b_proj`, `q_proj`). */
  readonly query: ArrayLike<number>
  /** W_DKV, then W_KR: [C + R, D] (`kv_a_proj_with_mqa`). */
  readonly keyValueDown: ArrayLike<number>
  /** Of the norm on the latent [C] (`kv_a_layernorm`). */
  readonly latentNorm: ArrayLike<number>
  /** Per head N rows of W_UK, then V rows of W_UV: [H (N + V), C] (`kv_b_proj`). */
  readonly keyValueUp: ArrayLike<number>
  /** W_O [D, H V] (`o_proj`). */
  readonly out: ArrayLike<number>
}

/** What a layer of any kind has. */
export interface Layer {
  /** D: numbers of a token's vector. */
  readonly hiddenSize: number
  /** Keys that a query sees, itself included; null: all before it. */
  readonly window: number | null
  /** @internal At most one. */
  readonly ropes: readonly RopeSet[]
}

/** A layer of MHA, GQA or MQA. */
export interface GroupedLayer extends Layer {
  /** Marks the variant. */
  readonly kind: 'grouped'
  /** @internal */
  readonly config: GroupedAttentionConfig
  /** @internal */
  readonly weights: GroupedWeights
}

/** A layer of MLA. */
export interface LatentLayer extends Layer {
  /** Marks the variant. */
  readonly kind: 'latent'
  /** @internal */
  readonly config: LatentAttentionConfig
  /** @internal */
  readonly weights: LatentWeights
}

/** A layer of attention: its sizes and its weights. */
export type AttentionLayer = GroupedLayer | LatentLayer

const row = (kind: Kind, description: string): OptionRow => ({ kind, description })

const COMMON = {
  hiddenSize: row(whole(1), "numbers of a token's vector"),
  nHeads: row(whole(1), 'query heads'),
  ropeTheta: row(above(0), 'base of the rotary positions'),
  ropeInterleaved: row(flag, 'rope rotates neighbouring pairs'),
  window: row(whole(1), 'keys that a query sees'),
  seed: row(whole(), 'of the weights'),
}

const GROUPED = {
  ...COMMON,
  nKvHeads: row(whole(1), 'key and value heads'),
  headDim: row(whole(1), 'numbers of a head'),
  ropeDim: row(whole(2), 'numbers of a head that rope rotates'),
} satisfies OptionTable<GroupedSizes>

const LATENT = {
  ...COMMON,
  qLoraRank: row(whole(1), "rank of the query's down-projection"),
  kvLoraRank: row(whole(1), 'numbers of the latent'),
  qkNopeHeadDim: row(whole(1), 'numbers of a head without positions'),
  qkRopeHeadDim: row(whole(2), 'numbers of a head that rope rotates'),
  vHeadDim: row(whole(1), "numbers of a head's value"),
  softmaxScale: row(above(0), 'factor of the scores'),
  latentNormEps: row(number(0), 'eps of the norms of latents'),
} satisfies OptionTable<LatentSizes>

/**
 * A layer of MHA, GQA or MQA: which of them, `nKvHeads` decides. Weights: drawn by the seed, unless `numbers` has them. Throws OptionError for
 * sizes that do not fit together.
 */
export function groupedLayer(bench: Workbench, given: GroupedSizes, numbers?: GroupedNumbers): GroupedLayer {
  const sizes = readSizes<GroupedSizes>(GROUPED, 'groupedLayer', given, ['hiddenSize', 'nHeads'])
  const { hiddenSize: D, nHeads: H, nKvHeads: G = H, headDim: d = D / H } = sizes
  if (!Number.isInteger(d)) throw new OptionError(`hiddenSize is ${D}, of ${H} heads; expected a multiple, or headDim`)
  if (H % G !== 0) throw new OptionError(`nKvHeads is ${G}; expected a divisor of nHeads = ${H}`)
  const { ropeDim = d } = sizes
  if (ropeDim > d) throw new OptionError(`ropeDim is ${ropeDim}; expected at most ${d}, the numbers of a head`)
  const source = weightsOf(bench, sizes.seed, numbers)
  return {
    kind: 'grouped',
    hiddenSize: D,
    window: sizes.window ?? null,
    ropes: ropesOf(sizes, ropeDim, false),
    config: { kind: 'grouped', nHeads: H, nKvHeads: G, headDim: d, softmaxScale: d ** -0.5, qkNormEps: null },
    weights: {
      qkv: [source.matrix('query', H * d, D), source.matrix('key', G * d, D), source.matrix('value', G * d, D)],
      queryNorm: null,
      sinks: null,
      keyNorm: null,
      out: source.matrix('out', D, H * d),
    },
  }
}

/**
 * A layer of MLA (DeepSeek-V2, arXiv 2405.04434, section 2.1). Weights: drawn by the seed, unless `numbers` has them. Throws OptionError for sizes
 * that do not fit together.
 */
export function latentLayer(bench: Workbench, given: LatentSizes, numbers?: LatentNumbers): LatentLayer {
  const needed = ['hiddenSize', 'nHeads', 'kvLoraRank', 'qkNopeHeadDim', 'qkRopeHeadDim', 'vHeadDim'] as const
  const sizes = readSizes<LatentSizes>(LATENT, 'latentLayer', given, needed)
  const { hiddenSize: D, nHeads: H, qLoraRank: Q = null, kvLoraRank: C } = sizes
  const { qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V, latentNormEps: eps = 1e-6 } = sizes
  if (Q === null && (numbers?.queryDown ?? numbers?.queryNorm)) {
    throw new OptionError('The weights have a down-projection of the query, and qLoraRank is null; expected its rank')
  }
  const source = weightsOf(bench, sizes.seed, numbers)
  return {
    kind: 'latent',
    hiddenSize: D,
    window: sizes.window ?? null,
    ropes: ropesOf(sizes, R, true),
    config: {
      kind: 'latent',
      nHeads: H,
      qLoraRank: Q,
      kvLoraRank: C,
      qkNopeHeadDim: N,
      qkRopeHeadDim: R,
      vHeadDim: V,
      softmaxScale: sizes.softmaxScale ?? (N + R) ** -0.5,
      latentNormEps: eps,
    },
    weights: {
      queryDown:
        Q === null ? null : { linear: source.matrix('queryDown', Q, D), norm: source.norm('queryNorm', Q, eps) },
      query: source.matrix('query', H * (N + R), Q ?? D),
      keyValueDown: source.matrix('keyValueDown', C + R, D),
      latentNorm: source.norm('latentNorm', C, eps),
      keyValueUp: { kind: 'joined', weight: source.matrix('keyValueUp', H * (N + V), C).weight },
      out: source.matrix('out', D, H * V),
    },
  }
}

/** null is a value of some sizes, and means what its absence means. */
function readSizes<T extends LayerSizes>(
  table: Readonly<Record<string, OptionRow>>,
  what: string,
  given: T,
  needed: readonly (keyof T & string)[],
): T {
  const present = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null))
  const sizes = readOptions<T>(table, what, present)
  const missing = needed.find(name => sizes[name] === undefined)
  if (missing !== undefined) throw new OptionError(`${what} is given no ${missing}; expected ${needed.join(', ')}`)
  return given.ropeTheta === null ? { ...sizes, ropeTheta: null } : sizes
}

function ropesOf({ ropeTheta: theta = 10000, ropeInterleaved }: LayerSizes, dim: number, interleaved: boolean) {
  if (theta === null) return []
  if (dim % 2 !== 0)
    throw new OptionError(`rope would rotate ${dim} numbers; expected an even number, or ropeTheta null`)
  return [ropeSet({ dim, theta, interleaved: ropeInterleaved ?? interleaved, scaling: { kind: 'none' } })]
}

/** Weights by name, in the order in which they are asked for: drawn with deviation 1 / sqrt(cols), norms 1, unless numbers are given. */
export function weightsOf(bench: Workbench, seed = 0, numbers?: object) {
  const rng = Rng.seeded(checkSeed(seed))
  const given = (name: string, shape: readonly number[]) =>
    numbers && expectNumbers(name, Reflect.get(numbers, name) as ArrayLike<number>, shape)
  return {
    matrix(name: string, rows: number, cols: number) {
      const values = given(name, [rows, cols]) ?? fillNormals(new Float32Array(rows * cols), rng, cols ** -0.5)
      return { weight: bench.weight(name, values, rows, cols), bias: null }
    },
    norm(name: string, length: number, eps: number) {
      const values = given(name, [length]) ?? new Float32Array(length).fill(1)
      return { kind: 'rms', eps, weight: bench.kept(values, [length]), bias: null } as const
    },
  }
}
