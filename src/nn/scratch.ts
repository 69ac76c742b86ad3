import type { KernelMemory } from '../kernels/contract/memory.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Memory for the activations of a step. */
export interface Scratch {
  /** Uninitialised until written. Lives until `release` to an earlier mark. */
  take(shape: readonly number[], dtype?: 'f32' | 'i32'): Tensor
  /**
   * Memory for a result that is computed from x, which nothing reads afterwards: x itself, unless activations are kept. Only
   * for operations whose `y` may be `x`.
   */
  replacing(x: Tensor): Tensor
  /** What is taken after a mark can be given back by `release`. */
  mark(): number
  release(mark: number): void
}

/**
 * Releases nothing before `dispose`: each activation has its own memory and is written once, as a backward pass needs it.
 * For training; generation uses `Arena`.
 */
export class KeepingScratch implements Scratch {
  readonly #memory: KernelMemory
  readonly #taken: Tensor[] = []

  constructor(memory: KernelMemory) {
    this.#memory = memory
  }

  take(shape: readonly number[], dtype: 'f32' | 'i32' = 'f32'): Tensor {
    const made = this.#memory.alloc(dtype, shape)
    this.#taken.push(made)
    return made
  }

  replacing(x: Tensor): Tensor {
    return this.take(x.shape)
  }

  mark(): number {
    return 0
  }

  release(): void {}

  dispose(): void {
    for (const t of this.#taken.splice(0)) this.#memory.free(t)
  }
}
