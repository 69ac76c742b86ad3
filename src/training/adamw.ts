import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Optimiser } from './optimiser.ts'
import { found, nameOf, type Parameter } from './parameters.ts'

export interface AdamWOptions {
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.95. */
  readonly beta2?: number
  /** Default 1e-8. */
  readonly eps?: number
  /** Of matrices but embeddings, times the learning rate. Default 0.1. */
  readonly weightDecay?: number
}

/** AdamW (arXiv 1711.05101, algorithm 2). It keeps two moments of every parameter. */
export class AdamW implements Optimiser {
  readonly #kernels: Kernels
  readonly #options: Required<AdamWOptions>
  readonly #moments: readonly { readonly parameter: Parameter; readonly first: Tensor; readonly second: Tensor }[]
  /** Steps taken. */
  #steps = 0

  constructor(kernels: Kernels, parameters: readonly Parameter[], options: AdamWOptions = {}) {
    this.#kernels = kernels
    const { beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weightDecay = 0.1 } = options
    this.#options = { beta1, beta2, eps, weightDecay }
    this.#moments = parameters.map(parameter => {
      const { shape } = parameter.values
      return { parameter, first: kernels.memory.alloc('f32', shape), second: kernels.memory.alloc('f32', shape) }
    })
  }

  /** The moments by name, for `restore`. */
  async numbers(): Promise<Map<string, Float32Array>> {
    const numbers = new Map<string, Float32Array>()
    for (const { parameter, first, second } of this.#moments) {
      numbers.set(`first ${nameOf(parameter)}`, (await this.#kernels.memory.read(first)) as Float32Array)
      numbers.set(`second ${nameOf(parameter)}`, (await this.#kernels.memory.read(second)) as Float32Array)
    }
    return numbers
  }

  /** As it was after so many steps. */
  restore(numbers: ReadonlyMap<string, Float32Array>, steps: number): void {
    this.#steps = steps
    for (const { parameter, first, second } of this.#moments) {
      this.#kernels.memory.upload(first, found(numbers, `first ${nameOf(parameter)}`, first))
      this.#kernels.memory.upload(second, found(numbers, `second ${nameOf(parameter)}`, second))
    }
  }

  /** Moves the parameters against their gradients, each times `gradientScale`. */
  async step(rate: number, gradientScale = 1): Promise<void> {
    const { beta1, beta2, eps, weightDecay } = this.#options
    this.#steps++
    const [correction1, correction2] = [1 - beta1 ** this.#steps, 1 - beta2 ** this.#steps]
    const settings = { rate, beta1, beta2, eps, correction1, correction2, gradientScale }
    for (const { parameter, first, second } of this.#moments) {
      const { values, gradient } = parameter
      this.#kernels.adamW(values, first, second, gradient, { ...settings, decay: decays(parameter) ? weightDecay : 0 })
    }
    await this.#kernels.submit()
  }
}

/** Matrices but those that hold a row per token or position. A tied output is the embedding. */
function decays({ role }: Parameter): boolean {
  return role !== 'vector' && role !== 'embedding' && role !== 'tied' && role !== 'positions'
}
