import type { Kernels } from '../kernels/contract/kernels.ts'
import { SQUARES_EACH } from '../kernels/contract/operation-options.ts'
import { elementCount, reshape, rowsOf, type Tensor, tensorAt } from '../tensor/tensor.ts'
import type { Optimiser } from './optimiser.ts'
import { found, nameOf, type Parameter } from './parameters.ts'

export interface MuonOptions {
  /** Default 0.95. */
  readonly momentum?: number
  /** Times the learning rate. Default 0.1. */
  readonly weightDecay?: number
}

/** Coefficients of the quintic iteration, and how often it runs. */
const [A, B, C] = [3.4445, -4.775, 2.0315]
const ITERATIONS = 5
const EPS = 1e-7
/** The root mean square of AdamW's usual step, which Muon's has then, too: one rate serves both (arXiv 2502.16982, eq. 4). */
const STEP_RMS = 0.2

/** One matrix: a parameter, or one of a layer's experts. */
interface Matrix {
  readonly values: Tensor
  readonly gradient: Tensor
  readonly momentum: Tensor
}

/**
 * Muon (Jordan et al. 2024; the numbers of torch.optim.Muon with `match_rms_adamw`): the momentum of a matrix, with Nesterov's step, made
 * orthogonal by Newton and Schulz's iteration. Composed of products and sums of the one table, in f32 where PyTorch rounds to bf16.
 */
export class Muon implements Optimiser {
  readonly #kernels: Kernels
  readonly #momentum: number
  readonly #decay: number
  readonly #kept: readonly { readonly parameter: Parameter; readonly momentum: Tensor }[]
  readonly #matrices: readonly Matrix[]
  /** Of the largest matrix: the iterate, the next one, and two squares. */
  readonly #scratch: readonly [Tensor, Tensor, Tensor, Tensor]

  constructor(kernels: Kernels, parameters: readonly Parameter[], options: MuonOptions = {}) {
    this.#kernels = kernels
    const { momentum = 0.95, weightDecay = 0.1 } = options
    this.#momentum = momentum
    this.#decay = weightDecay
    this.#kept = parameters.map(parameter => ({
      parameter,
      momentum: kernels.memory.alloc('f32', parameter.values.shape),
    }))
    this.#matrices = this.#kept.flatMap(({ parameter: { values, gradient }, momentum }) => {
      const [all, grads, moments] = [values, gradient, momentum].map(matricesOf) as [Tensor[], Tensor[], Tensor[]]
      return all.map((matrix, i) => ({
        values: matrix,
        gradient: grads[i] as Tensor,
        momentum: moments[i] as Tensor,
      }))
    })
    const sizes = this.#matrices.map(({ values }) => elementCount(values.shape))
    const squares = this.#matrices.map(({ values }) => Math.min(...values.shape) ** 2)
    const most = (numbers: readonly number[]) => kernels.memory.alloc('f32', [Math.max(1, ...numbers)])
    this.#scratch = [most(sizes), most(sizes), most(squares), most(squares)]
  }

  async numbers(): Promise<Map<string, Float32Array>> {
    const numbers = new Map<string, Float32Array>()
    for (const { parameter, momentum } of this.#kept) {
      numbers.set(`momentum ${nameOf(parameter)}`, (await this.#kernels.memory.read(momentum)) as Float32Array)
    }
    return numbers
  }

  restore(numbers: ReadonlyMap<string, Float32Array>): void {
    for (const { parameter, momentum } of this.#kept) {
      this.#kernels.memory.upload(momentum, found(numbers, `momentum ${nameOf(parameter)}`, momentum))
    }
  }

  async step(rate: number, gradientScale = 1): Promise<void> {
    const k = this.#kernels
    const beta = this.#momentum
    for (const { gradient, momentum } of this.#matrices) {
      k.axpby(momentum, beta, momentum, (1 - beta) * gradientScale, gradient)
      // Nesterov's step takes the place of the gradient, which is not needed any more.
      k.axpby(gradient, (1 - beta) * gradientScale, gradient, beta, momentum)
    }
    const norms = await this.#norms()
    for (const [i, { values, gradient }] of this.#matrices.entries()) {
      const direction = this.#orthogonal(gradient, 1 / Math.max(EPS, norms[i] as number))
      const length = STEP_RMS * Math.sqrt(Math.max(...values.shape))
      k.axpby(values, 1 - rate * this.#decay, values, -rate * length, direction)
    }
    await k.submit()
  }

  /** Frobenius norms of what is in the gradients. */
  async #norms(): Promise<number[]> {
    const k = this.#kernels
    const sums = this.#matrices.map(({ gradient }) => {
      const sums = k.memory.alloc('f32', [Math.ceil(elementCount(gradient.shape) / SQUARES_EACH)])
      k.sumSquares(sums, gradient)
      return sums
    })
    await k.submit()
    const norms: number[] = []
    for (const tensor of sums) {
      norms.push(Math.sqrt(((await k.memory.read(tensor)) as Float32Array).reduce((sum, x) => sum + x, 0)))
      k.memory.free(tensor)
    }
    return norms
  }

  /** The matrix nearest to scale x whose singular values are about 1: X <- a X + (b S + c S²) X with S = X Xᵀ, or the same from the right. */
  #orthogonal(x: Tensor, scale: number): Tensor {
    const k = this.#kernels
    const [rows, cols] = x.shape as [number, number]
    const side = Math.min(rows, cols)
    let [now, next] = this.#scratch.slice(0, 2).map(({ address }) => tensorAt(address, 'f32', [rows, cols])) as [
      Tensor,
      Tensor,
    ]
    const [S, P] = this.#scratch.slice(2).map(({ address }) => tensorAt(address, 'f32', [side, side])) as [
      Tensor,
      Tensor,
    ]
    k.axpby(now, scale, x)
    for (let i = 0; i < ITERATIONS; i++) {
      if (rows <= cols) k.matmul(S, now, k.weightOf('muon', now))
      else {
        k.fill(S, 0)
        k.weightBackward(S, now, now, 1)
      }
      k.matmul(P, S, k.weightOf('muon', S))
      k.axpby(P, B, S, C, P)
      k.axpby(next, A, now)
      if (rows <= cols) k.matmulBackward(next, P, k.weightOf('muon', now), 1)
      else k.matmulBackward(next, now, k.weightOf('muon', P), 1)
      ;[now, next] = [next, now]
    }
    return now
  }
}

/** Those of [rows, cols], or of [E, rows, cols]. */
function matricesOf(t: Tensor): Tensor[] {
  const [rows, cols] = t.shape.slice(-2) as [number, number]
  if (t.shape.length === 2) return [t]
  return Array.from({ length: t.shape[0] as number }, (_, e) => reshape(rowsOf(t, e, 1), [rows, cols]))
}
