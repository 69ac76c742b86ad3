import type { ByteSource } from '../../src/tensor/bytes.ts'

/** A source that remembers what was read of it, and refuses what an honest reader would not ask for. */
export class CountingSource implements ByteSource {
  readonly name: string
  readonly size: number
  readonly #inner: ByteSource
  /** Sum of all lengths asked for. */
  bytesRead = 0
  /** End offset of the last byte requested. */
  end = 0

  constructor(inner: ByteSource) {
    this.#inner = inner
    this.name = inner.name
    this.size = inner.size
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.size) throw new Error(`test: bytes ${offset} + ${length} of ${this.size} were asked for`)
    this.bytesRead += length
    this.end = Math.max(this.end, offset + length)
    return this.#inner.read(offset, length)
  }
}
