import type { Weight } from '../kernels/contract/weights.ts'
import { reshape, type Tensor } from '../tensor/tensor.ts'
import { dotProductAttention } from './dot-product.ts'
import { weightsOf } from './layers.ts'
import { expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** Numbers of additive attention, row by row. */
export interface AdditiveNumbers {
  /** W [A, n], of the decoder's state. */
  readonly state: ArrayLike<number>
  /** U [A, m], of the encoder's states. */
  readonly source: ArrayLike<number>
  /** v [A] */
  readonly score: ArrayLike<number>
}

/** Weights of additive attention. */
export interface AdditiveWeights {
  /** @internal */
  readonly state: Weight
  /** @internal */
  readonly source: Weight
  /** @internal */
  readonly score: Weight
}

/** Options of `additiveAttention`. */
export interface AdditiveOptions {
  /** Whether each of the S may be seen. Default: all. */
  readonly mask?: ArrayLike<number | boolean>
  /** Return the weights, too. Default false. */
  readonly pattern?: boolean
}

/** Result of `additiveAttention`. */
export interface AdditiveResult {
  /** e [T, S] */
  readonly energies: Tensor
  /** α, the softmax of the energies over the source, [T, S]; null unless asked for. */
  readonly weights: Tensor | null
  /** Σ α h, [T, m] */
  readonly context: Tensor
}

/** Sizes of additive attention. */
export interface AdditiveSizes {
  /** A: numbers that states and source are projected to. */
  readonly width: number
  /** n: numbers of a decoder's state. */
  readonly state: number
  /** m: numbers of an encoder's state. */
  readonly source: number
  /** Of the weights, where none are given. Default 0. */
  readonly seed?: number
}

/** Weights of additive attention, drawn by the seed unless `numbers` has them. Throws OptionError. */
export function additiveWeights(
  bench: Workbench,
  { width: A, state: n, source: m, seed }: AdditiveSizes,
  numbers?: AdditiveNumbers,
): AdditiveWeights {
  const source = weightsOf(bench, seed, numbers)
  const weight = (name: keyof AdditiveNumbers, rows: number, cols: number) => source.matrix(name, rows, cols).weight
  return { state: weight('state', A, n), source: weight('source', A, m), score: weight('score', 1, A) }
}

/**
 * Bahdanau's attention (arXiv 1409.0473, eq. 5 and 6): e_j = vᵀ tanh(W s + U h_j), of decoder states s [T, n] over a source h [S, m]. Throws
 * OptionError.
 */
export function additiveAttention(
  bench: Workbench,
  weights: AdditiveWeights,
  states: Tensor,
  source: Tensor,
  { mask, pattern = false }: AdditiveOptions = {},
): AdditiveResult {
  const A = weights.score.cols
  const [T] = expectShape('states', states, [
    ['T', null],
    ['n', weights.state.cols],
  ]) as [number]
  const [S, m] = expectShape('source', source, [
    ['S', null],
    ['m', weights.source.cols],
  ]) as [number, number]
  const { ops, scratch } = bench
  /** Every state beside every entry of the source: [T S, A]. */
  const repeated = (x: Tensor, w: Weight, row: (t: number, s: number) => number) => {
    const projected = scratch.take([x.shape[0] as number, A])
    ops.matmul(projected, x, w)
    const all = scratch.take([T * S, A])
    ops.gatherRows(
      all,
      projected,
      bench.integers(Array.from({ length: T * S }, (_, i) => row(Math.floor(i / S), i % S))),
    )
    return all
  }
  const sum = scratch.take([T * S, A])
  ops.axpby(
    sum,
    1,
    repeated(states, weights.state, t => t),
    1,
    repeated(source, weights.source, (_, s) => s),
  )
  const bent = scratch.take([T * S, A])
  ops.activate(bent, sum, 'tanh')
  const energies = scratch.take([T * S, 1])
  ops.matmul(energies, bent, weights.score)

  // Scores that are given are dot products with keys that point in one direction each.
  const directions = new Float32Array(S * S)
  for (let s = 0; s < S; s++) directions[s * S + s] = 1
  const found = dotProductAttention(
    bench,
    {
      queries: reshape(energies, [T, 1, S]),
      keys: bench.tensor(directions, [S, 1, S]),
      values: bench.shaped(source, [S, 1, m]),
    },
    { causal: false, scale: 1, pattern, ...(mask && { mask }) },
  )
  return {
    energies: reshape(energies, [T, S]),
    weights: found.pattern && reshape(found.pattern, [T, S]),
    context: reshape(found.out, [T, m]),
  }
}
