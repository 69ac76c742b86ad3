import type { KernelMemory } from '../kernels/contract/memory.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Where a step's activations are. */
export interface Scratch {
  /** Uninitialised until written. Lives until `release` to an earlier mark. */
  take(shape: readonly number[], dtype?: 'f32' | 'i32' | 'f64'): Tensor
  /**
   * Where a result goes after which nobody needs x any more: x itself, unless activations are kept. Only for results of which
   * the contract says that they may lie where x does.
   */
  replacing(x: Tensor): Tensor
  /** What is taken after a mark can be given back by `release`. */
  mark(): number
  release(mark: number): void
}

/**
 * Gives nothing back before `dispose`, so that each activation has memory of its own and is written once: what a backward
 * pass reads. Steps of generation use `Arena`.
 */
export class KeepingScratch implements Scratch {
  readonly #memory: KernelMemory
  readonly #taken: Tensor[] = []

  constructor(memory: KernelMemory) {
    this.#memory = memory
  }

  take(shape: readonly number[], dtype: 'f32' | 'i32' | 'f64' = 'f32'): Tensor {
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
