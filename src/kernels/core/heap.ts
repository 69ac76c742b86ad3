/** Every block begins on a cache line, and is a whole number of them. */
const LINE = 64

interface Block {
  address: number
  bytes: number
}

/**
 * Hands out parts of one growing memory: the first free block that is large enough, else new memory behind the last
 * one. Neighbouring free blocks become one.
 */
export class Heap {
  /** Free blocks below `#top`, by rising address; no two touch. */
  readonly #free: Block[] = []
  readonly #used = new Map<number, number>()
  readonly #grow: (end: number) => boolean
  readonly #clear: (address: number, bytes: number) => void
  /** End of the last block in use. */
  #top: number
  /** From here on memory was never used. */
  #fresh: number
  #bytes = 0

  /**
   * `grow` makes memory up to an address usable and zero, or says that it cannot; `clear` zeroes memory that was used
   * before.
   */
  constructor(base: number, grow: (end: number) => boolean, clear: (address: number, bytes: number) => void) {
    this.#top = roundUp(base)
    this.#fresh = this.#top
    this.#grow = grow
    this.#clear = clear
  }

  /** In use, rounded to whole lines. */
  get bytes(): number {
    return this.#bytes
  }

  /** The address of zeroed memory; 0 if there is none. */
  allocate(bytes: number): number {
    const size = roundUp(Math.max(bytes, 1))
    const at = this.#free.findIndex(block => block.bytes >= size)
    const address = at >= 0 ? this.#takeFree(at, size) : this.#takeNew(size)
    if (address === 0) return 0
    this.#used.set(address, size)
    this.#bytes += size
    return address
  }

  release(address: number): void {
    const bytes = this.#used.get(address)
    if (bytes === undefined) throw new RangeError(`no block at ${address}`)
    this.#used.delete(address)
    this.#bytes -= bytes
    const after = this.#free.findIndex(block => block.address > address)
    const index = after < 0 ? this.#free.length : after
    this.#free.splice(index, 0, { address, bytes })
    this.#join(index)
    if (index > 0) this.#join(index - 1)
    const last = this.#free.at(-1) as Block
    if (last.address + last.bytes < this.#top) return
    this.#top = last.address
    this.#free.pop()
  }

  #takeFree(index: number, size: number): number {
    const block = this.#free[index] as Block
    const { address } = block
    if (block.bytes === size) {
      this.#free.splice(index, 1)
    } else {
      block.address += size
      block.bytes -= size
    }
    this.#clear(address, size)
    return address
  }

  #takeNew(size: number): number {
    const address = this.#top
    if (!this.#grow(address + size)) return 0
    this.#top = address + size
    if (address < this.#fresh) this.#clear(address, Math.min(this.#top, this.#fresh) - address)
    this.#fresh = Math.max(this.#fresh, this.#top)
    return address
  }

  /** Makes a free block and the one behind it one, if they touch. */
  #join(index: number): void {
    const block = this.#free[index] as Block
    const next = this.#free[index + 1]
    if (!next || block.address + block.bytes !== next.address) return
    block.bytes += next.bytes
    this.#free.splice(index + 1, 1)
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / LINE) * LINE
}
