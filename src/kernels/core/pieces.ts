import { OutOfMemoryError } from '../../errors.ts'
import { Heap } from './heap.ts'
import type { CoreHost } from './host.ts'

/** Pieces of this size are taken from the system, which backs them with large pages. */
const PIECE = 64 << 20

/**
 * Memory in parts of large pieces. Matrices of 100 KB on small pages are read a fifth slower, the blocks of a cache up to
 * 7 % (docs/log.md). A piece goes back to the system when nothing of it is in use.
 */
export class Pieces {
  readonly #host: CoreHost
  readonly #pieces: { readonly address: number; readonly heap: Heap }[] = []

  constructor(host: CoreHost) {
    this.#host = host
  }

  /** The address of zeroed memory, by itself where no piece can be had any more. Throws OutOfMemoryError. */
  allocate(bytes: number): number {
    for (const { heap } of this.#pieces) {
      const address = heap.allocate(bytes)
      if (address !== 0) return address
    }
    const address = this.#piece()
    if (address === 0) return this.#host.allocate(bytes)
    const heap = new Heap(
      address,
      end => end <= address + PIECE,
      (at, length) => this.#host.write(at, new Uint8Array(length)),
    )
    this.#pieces.push({ address, heap })
    return heap.allocate(bytes)
  }

  release(address: number): void {
    const index = this.#pieces.findIndex(piece => address >= piece.address && address < piece.address + PIECE)
    const piece = this.#pieces[index]
    if (!piece) {
      this.#host.release(address)
      return
    }
    piece.heap.release(address)
    if (piece.heap.bytes > 0) return
    this.#host.release(piece.address)
    this.#pieces.splice(index, 1)
  }

  /** 0: the system has no room for a whole one. */
  #piece(): number {
    try {
      return this.#host.allocate(PIECE)
    } catch (error) {
      if (error instanceof OutOfMemoryError) return 0
      throw error
    }
  }
}
