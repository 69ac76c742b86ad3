/** Recurrent cells, from before attention: a state carries everything. */
import type { Weight } from '../kernels/contract/weights.ts'
import { fillNormals } from '../sampling/normals.ts'
import { checkSeed, Rng } from '../sampling/rng.ts'
import { lastOf, reshape, rowsOf, type Tensor } from '../tensor/tensor.ts'
import { expectNumbers, expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** Numbers of a recurrent cell, row by row; of a GRU the rows of reset, update and new state, in this order, as in PyTorch. */
export interface RecurrentNumbers {
  /** W [n, in]; of a GRU [3n, in] */
  readonly input: ArrayLike<number>
  /** U [n, n]; of a GRU [3n, n] */
  readonly state: ArrayLike<number>
  /** b [n]; of a GRU [3n] */
  readonly inputBias: ArrayLike<number>
  /** c [n]; of a GRU [3n] */
  readonly stateBias: ArrayLike<number>
}

interface Affine {
  readonly weight: Weight
  readonly bias: Tensor
}

/** Weights of a recurrent cell. */
export interface RecurrentWeights {
  /** The cell. */
  readonly cell: 'rnn' | 'gru-after' | 'gru-before'
  /** Numbers of a state. */
  readonly size: number
  /** @internal */
  readonly input: Affine
  /** @internal Of a GRU, its rows of reset and update. */
  readonly state: Affine
  /** @internal Of a GRU, its rows of the new state. */
  readonly fresh: Affine | null
}

/** Sizes of a recurrent cell. */
export interface RecurrentSizes {
  /**
   * `rnn`: h' = tanh(W x + b + U h + c) (Elman 1990). `gru-after`: h' = (1 - z) n + z h with n = tanh(W x + b + r ∘ (U h + c)), as cuDNN and PyTorch
   * have it; `gru-before`: n = tanh(W x + b + U (r ∘ h) + c) (arXiv 1406.1078, eq. 8).
   */
  readonly cell: 'rnn' | 'gru-after' | 'gru-before'
  /** Numbers of an input. */
  readonly inputSize: number
  /** n: numbers of a state. */
  readonly size: number
  /** Of the weights, where none are given. Default 0. */
  readonly seed?: number
}

/** Weights of a recurrent cell, drawn by the seed unless `numbers` has them. Throws OptionError where those are not as many as the sizes say. */
export function recurrentWeights(
  bench: Workbench,
  { cell, inputSize, size: n, seed = 0 }: RecurrentSizes,
  numbers?: RecurrentNumbers,
): RecurrentWeights {
  const rows = cell === 'rnn' ? n : 3 * n
  const shared = cell === 'rnn' ? n : 2 * n
  const rng = Rng.seeded(checkSeed(seed))
  const given = (name: keyof RecurrentNumbers, cols?: number) => {
    const shape = cols === undefined ? [rows] : [rows, cols]
    if (numbers) return expectNumbers(name, numbers[name], shape)
    const values = new Float32Array(rows * (cols ?? 1))
    return cols === undefined ? values : fillNormals(values, rng, cols ** -0.5)
  }
  const [input, state] = [given('input', inputSize), given('state', n)]
  const [inputBias, stateBias] = [given('inputBias'), given('stateBias')]
  const affine = (name: string, w: Float32Array, b: Float32Array, cols: number): Affine => {
    return { weight: bench.weight(name, w, b.length, cols), bias: bench.kept(b, [b.length]) }
  }
  return {
    cell,
    size: n,
    input: affine('input', input, inputBias, inputSize),
    state: affine('state', state.subarray(0, shared * n), stateBias.subarray(0, shared), n),
    fresh: cell === 'rnn' ? null : affine('fresh', state.subarray(shared * n), stateBias.subarray(shared), n),
  }
}

/**
 * Every state [T, B, n] of a cell that reads x [T, B, in], B texts at once, one token after the other, from the states `first` [B, n]. Throws
 * OptionError.
 */
export function recurrentStates(bench: Workbench, w: RecurrentWeights, x: Tensor, first: Tensor): Tensor {
  const inputSize = w.input.weight.cols
  const [T, B] = expectShape('x', x, [
    ['T', null],
    ['B', null],
    ['in', inputSize],
  ]) as [number, number]
  expectShape('first', first, [
    ['B', B],
    ['n', w.size],
  ])
  const { ops, scratch } = bench
  const states = scratch.take([T, B, w.size])
  const rows = w.input.weight.rows
  // Of all tokens at once; what depends on the state has to wait for it.
  const inputs = scratch.take([T * B, rows])
  ops.matmul(inputs, bench.shaped(x, [T * B, inputSize]), w.input.weight, { bias: w.input.bias })
  let state = first
  for (let t = 0; t < T; t++) {
    const next = reshape(rowsOf(states, t, 1), [B, w.size])
    cell(bench, w, next, rowsOf(inputs, t * B, B), state)
    state = next
  }
  return states
}

/** The state after one more token. `input` [B, rows]: W x + b. */
function cell(bench: Workbench, w: RecurrentWeights, next: Tensor, input: Tensor, h: Tensor): void {
  const { ops, scratch } = bench
  const n = w.size
  const B = h.shape[0] as number
  const take = (width: number) => scratch.take([B, width])
  const { fresh } = w
  if (!fresh) {
    const sum = take(n)
    ops.matmul(sum, h, w.state.weight, { bias: w.state.bias, residual: input })
    ops.activate(next, sum, 'tanh')
    return
  }
  const gates = take(2 * n)
  ops.matmul(gates, h, w.state.weight, { bias: w.state.bias, residual: lastOf(input, 0, 2 * n) })
  const [reset, update] = [lastOf(gates, 0, n), lastOf(gates, n, n)]
  const sum = take(n)
  const own = lastOf(input, 2 * n, n)
  if (w.cell === 'gru-after') {
    const candidate = take(n)
    ops.matmul(candidate, h, fresh.weight, { bias: fresh.bias })
    const kept = take(n)
    ops.gate(kept, reset, candidate, 'sigmoid')
    ops.axpby(sum, 1, own, 1, kept)
  } else {
    const kept = take(n)
    ops.gate(kept, reset, h, 'sigmoid')
    ops.matmul(sum, kept, fresh.weight, { bias: fresh.bias, residual: own })
  }
  const candidate = take(n)
  ops.activate(candidate, sum, 'tanh')
  // (1 - z) n + z h = n + z (h - n)
  const difference = take(n)
  ops.axpby(difference, 1, h, -1, candidate)
  const moved = take(n)
  ops.gate(moved, update, difference, 'sigmoid')
  ops.axpby(next, 1, candidate, 1, moved)
}
