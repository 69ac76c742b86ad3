/** What stands around attention in a block: products, norms, activations, each a function on tensors. */
import { OptionError } from '../errors.ts'
import type { Activation } from '../kernels/contract/operation-options.ts'
import type { Weight } from '../kernels/contract/weights.ts'
import { fillNormals } from '../sampling/normals.ts'
import { checkSeed, Rng } from '../sampling/rng.ts'
import { elementCount, lastOf, rowsOf, type Tensor } from '../tensor/tensor.ts'
import { expectNumbers, expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** A matrix of weights. */
export interface Matrix {
  /** Outputs. */
  readonly rows: number
  /** Inputs. */
  readonly cols: number
  /** @internal */
  readonly weight: Weight
}

/** A vector of weights: a bias, or what a norm multiplies by. */
export interface Vector {
  /** Numbers. */
  readonly length: number
  /** @internal */
  readonly values: Tensor
}

/** Where the numbers of a matrix come from. */
export interface MatrixOptions {
  /** Row by row. Default: drawn. */
  readonly numbers?: ArrayLike<number>
  /** Of the draw. Default 0. */
  readonly seed?: number
  /** Of the numbers that are drawn. Default cols^-0.5. */
  readonly deviation?: number
}

/** Options of `linear`. */
export interface LinearOptions {
  /** [rows]. Default: none. */
  readonly bias?: Vector
  /** [T, rows], is added. Default: none. */
  readonly residual?: Tensor
}

/** Options of `norm`. */
export interface NormOptions {
  /** Makes it a LayerNorm, which has one. Default: none. */
  readonly bias?: Vector
  /** Is added to the mean square, or to the variance. Default 1e-6. */
  readonly eps?: number
}

/** A matrix [rows, cols] of weights that lives until `close`; a learner learns it. */
export function matrix(bench: Workbench, rows: number, cols: number, options: MatrixOptions = {}): Matrix {
  const { numbers, seed = 0, deviation = cols ** -0.5 } = options
  const values = numbers
    ? expectNumbers('numbers', numbers, [rows, cols])
    : fillNormals(new Float32Array(rows * cols), Rng.seeded(checkSeed(seed)), deviation)
  return { rows, cols, weight: bench.weight('matrix', values, rows, cols) }
}

/** A vector of weights, all `value`, that lives until `close`; a learner learns it. */
export function vector(bench: Workbench, length: number, value: number): Vector {
  return { length, values: bench.kept(new Float32Array(length).fill(value), [length]) }
}

/** x Wᵀ + bias + residual: x [T, cols], residual [T, rows]. */
export function linear(bench: Workbench, x: Tensor, w: Matrix, { bias, residual }: LinearOptions = {}): Tensor {
  const [T] = expectShape('x', x, [
    ['T', null],
    ['cols', w.cols],
  ]) as [number]
  if (residual) {
    expectShape('residual', residual, [
      ['T', T],
      ['rows', w.rows],
    ])
  }
  const y = bench.scratch.take([T, w.rows])
  bench.ops.matmul(y, x, w.weight, { ...(bias && { bias: bias.values }), ...(residual && { residual }) })
  return y
}

/** Rows of a matrix by ids: [ids, cols]. Throws OptionError for an id that has none. */
export function embed(bench: Workbench, w: Matrix, ids: ArrayLike<number>): Tensor {
  const bad = Array.from(ids).find(id => !Number.isInteger(id) || id < 0 || id >= w.rows)
  if (bad !== undefined)
    throw new OptionError(`ids has ${bad}; expected whole numbers below ${w.rows}, the matrix's rows`)
  const y = bench.scratch.take([ids.length, w.cols])
  bench.ops.embed(y, w.weight, bench.integers(ids))
  return y
}

/** a + scale * b, of one shape. */
export function add(bench: Workbench, a: Tensor, b: Tensor, scale = 1): Tensor {
  expectLike('b', b, a)
  const y = bench.scratch.take(a.shape)
  bench.ops.axpby(y, 1, a, scale, b)
  return y
}

/** act(x), number by number. */
export function activate(bench: Workbench, x: Tensor, activation: Activation): Tensor {
  const y = bench.scratch.take(x.shape)
  bench.ops.activate(y, x, activation)
  return y
}

/** act(gates) * x, number by number: SwiGLU with `silu`. */
export function gate(bench: Workbench, gates: Tensor, x: Tensor, activation: Activation): Tensor {
  expectLike('x', x, gates)
  const y = bench.scratch.take(x.shape)
  bench.ops.gate(y, gates, x, activation)
  return y
}

/** RMSNorm, or LayerNorm where there is a bias. */
export function norm(bench: Workbench, x: Tensor, weight: Vector, { bias, eps = 1e-6 }: NormOptions = {}): Tensor {
  expectShape('x', x, [
    ['T', null],
    ['n', weight.length],
  ])
  const y = bench.scratch.take(x.shape)
  if (bias) bench.ops.layerNorm(y, x, weight.values, bias.values, eps)
  else bench.ops.rmsNorm(y, x, weight.values, eps)
  return y
}

/** Rows of x [N, n] by index: [index, n]. */
export function gather(bench: Workbench, x: Tensor, index: ArrayLike<number>): Tensor {
  const [N, n] = expectShape('x', x, [
    ['N', null],
    ['n', null],
  ]) as [number, number]
  const bad = Array.from(index).find(i => !Number.isInteger(i) || i < 0 || i >= N)
  if (bad !== undefined) throw new OptionError(`index has ${bad}; expected whole numbers below ${N}, the rows of x`)
  const y = bench.scratch.take([index.length, n])
  bench.ops.gatherRows(y, bench.shaped(x, [N, n]), bench.integers(index))
  return y
}

/** Tensors that differ in their last axis only, side by side. */
export function beside(bench: Workbench, parts: readonly Tensor[]): Tensor {
  const [first] = parts
  if (!first) throw new OptionError('beside is given no tensor; expected at least one')
  const width = parts.reduce((n, part) => n + (part.shape.at(-1) as number), 0)
  const y = bench.scratch.take([...first.shape.slice(0, -1), width])
  let at = 0
  for (const [i, part] of parts.entries()) {
    const own = part.shape.at(-1) as number
    expectLike(`parts[${i}]`, part, { shape: [...first.shape.slice(0, -1), own] })
    bench.ops.copy(lastOf(y, at, own), part)
    at += own
  }
  return y
}

/** Tensors that differ in their first axis only, one after the other. */
export function below(bench: Workbench, parts: readonly Tensor[]): Tensor {
  const [first] = parts
  if (!first) throw new OptionError('below is given no tensor; expected at least one')
  const rows = parts.reduce((n, part) => n + (part.shape[0] as number), 0)
  const y = bench.scratch.take([rows, ...first.shape.slice(1)])
  let at = 0
  for (const [i, part] of parts.entries()) {
    const own = part.shape[0] as number
    expectLike(`parts[${i}]`, part, { shape: [own, ...first.shape.slice(1)] })
    bench.ops.copy(rowsOf(y, at, own), part)
    at += own
  }
  return y
}

/** Rows start to start + count of a tensor: a view, nothing is copied. */
export function rows(t: Tensor, start: number, count: number): Tensor {
  const N = t.shape[0] as number
  if (!(Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count >= 0 && start + count <= N)) {
    throw new OptionError(`rows ${start} to ${start + count} of a tensor of ${N}; expected rows that it has`)
  }
  return rowsOf(t, start, count)
}

/** The same numbers in another shape. Throws OptionError unless they are as many. */
export function shaped(bench: Workbench, t: Tensor, shape: readonly number[]): Tensor {
  if (elementCount(shape) !== elementCount(t.shape)) {
    throw new OptionError(`[${t.shape.join(', ')}] cannot become [${shape.join(', ')}]; expected as many numbers`)
  }
  return bench.shaped(t, shape)
}

function expectLike(name: string, t: Tensor, like: Pick<Tensor, 'shape'>): void {
  expectShape(
    name,
    t,
    like.shape.map((size, i) => [String(i), size]),
  )
}
