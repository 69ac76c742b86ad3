import type { KernelMemory } from '../kernels/contract/memory.ts'
import { byteLength, type Tensor, tensorAt } from '../tensor/tensor.ts'
import type { Scratch } from './scratch.ts'

const ALIGN = 64

/**
 * Activations of a step: taken one after the other from one piece of memory and all given back at once. Steps repeat,
 * so handles are kept from the last step and nothing is allocated while shapes stay the same. A step larger than any
 * before overflows into further pieces, which the next reset joins.
 */
export class Arena implements Scratch {
  readonly #memory: KernelMemory
  #slab: Tensor | null = null
  /** Pieces beyond the slab, by the offset they stand for. */
  readonly #overflow = new Map<number, Tensor>()
  #outgrown: Tensor[] = []
  #used = 0
  #peak = 0
  #next = 0
  #handles: Tensor[] = []

  constructor(memory: KernelMemory) {
    this.#memory = memory
  }

  take(shape: readonly number[], dtype: 'f32' | 'i32' = 'f32'): Tensor {
    const bytes = Math.ceil(byteLength(dtype, shape) / ALIGN) * ALIGN
    const start = this.#used
    this.#used += bytes
    this.#peak = Math.max(this.#peak, this.#used)
    const index = this.#next++
    if (!this.#slab || this.#used > (this.#slab.shape[0] as number)) {
      return tensorAt(this.#extra(start, Math.max(bytes, ALIGN)).address, dtype, shape)
    }
    const address = this.#slab.address + start
    const kept = this.#handles[index]
    if (kept && kept.address === address && kept.dtype === dtype && sameShape(kept.shape, shape)) return kept
    const made = tensorAt(address, dtype, shape)
    this.#handles[index] = made
    return made
  }

  replacing(x: Tensor): Tensor {
    return x
  }

  /** Memory for an offset beyond the slab; layers that take and release find the same piece again. */
  #extra(start: number, bytes: number): Tensor {
    const kept = this.#overflow.get(start)
    if (kept && (kept.shape[0] as number) >= bytes) return kept
    const made = this.#memory.alloc('u8', [bytes])
    // A smaller piece at this offset may still be in use by recorded operations: it stays until the reset.
    if (kept) this.#outgrown.push(kept)
    this.#overflow.set(start, made)
    return made
  }

  mark(): number {
    return this.#used
  }

  release(mark: number): void {
    this.#used = mark
  }

  /** Gives back everything; nothing recorded may still use it. True: the same shapes get other addresses from now on. */
  reset(): boolean {
    const moves = this.#overflow.size > 0
    if (moves) {
      this.#freeAll()
      this.#slab = this.#memory.alloc('u8', [this.#peak])
    }
    this.#used = 0
    this.#next = 0
    return moves
  }

  dispose(): void {
    this.#freeAll()
  }

  #freeAll(): void {
    for (const t of [...this.#overflow.values(), ...this.#outgrown]) this.#memory.free(t)
    if (this.#slab) this.#memory.free(this.#slab)
    this.#overflow.clear()
    this.#outgrown = []
    this.#slab = null
    this.#handles = []
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
