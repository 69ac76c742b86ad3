import type { CoreHost } from './host.ts'

/** Bytes of an address in the core's memory, on 32-bit machines too. */
const ENTRY = 8

/**
 * Where the blocks of a cache are: their addresses by id, in the core's memory. A record names the directory by a word
 * that holds where the entries are now, so that it may grow while recordings of operations are kept.
 */
export class BlockDirectory {
  readonly #host: CoreHost
  /** The word that points at the entries. */
  readonly address: number
  #entries: number
  #capacity = 256
  /** Ids given out at least once; 0 is no block. */
  #used = 1
  readonly #freed: number[] = []

  constructor(host: CoreHost) {
    this.#host = host
    this.address = host.allocate(ENTRY)
    this.#entries = host.allocate(ENTRY * this.#capacity)
    this.#write(this.address, this.#entries)
  }

  /** The id of the block at an address. Throws OutOfMemoryError. */
  add(address: number): number {
    if (this.#freed.length === 0 && this.#used === this.#capacity) this.#grow()
    const id = this.#freed.pop() ?? this.#used++
    this.#write(this.#entries + ENTRY * id, address)
    return id
  }

  remove(id: number): void {
    this.#write(this.#entries + ENTRY * id, 0)
    this.#freed.push(id)
  }

  #grow(): void {
    const bytes = new Uint8Array(ENTRY * this.#capacity)
    this.#host.read(this.#entries, bytes)
    const larger = this.#host.allocate(2 * bytes.length)
    this.#host.write(larger, bytes)
    this.#host.release(this.#entries)
    this.#entries = larger
    this.#capacity *= 2
    this.#write(this.address, larger)
  }

  #write(at: number, address: number): void {
    this.#host.write(at, new Uint8Array(BigUint64Array.of(BigInt(address)).buffer))
  }
}
