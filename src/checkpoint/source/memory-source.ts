import { CheckpointError } from '../../errors.ts'
import type { ByteSource } from '../../tensor/bytes.ts'

/** A source over bytes in memory, or over a browser's Blob or File, which is read in slices. */
export function memorySource(name: string, data: Uint8Array | ArrayBuffer | Blob): ByteSource {
  if (data instanceof Blob) {
    const read = async (start: number, end: number) => {
      const bytes = await data
        .slice(start, end)
        .arrayBuffer()
        .catch((error: Error) => gone(name, error))
      return new Uint8Array(bytes)
    }
    return new SlicedSource(name, data.size, read)
  }
  // A plain Uint8Array view: `slice` of a Node Buffer would not copy.
  const bytes =
    data instanceof Uint8Array ? new Uint8Array(data.buffer, data.byteOffset, data.length) : new Uint8Array(data)
  return new SlicedSource(name, bytes.length, async (start, end) => bytes.slice(start, end))
}

/** A file as the browser knew it when it was chosen can be read no more once it changes. */
function gone(name: string, error: Error): never {
  if (error.name !== 'NotReadableError' && error.name !== 'NotFoundError') throw error
  const met = `${name} can no longer be read (${error.message}): it was changed, moved or removed since it was opened`
  throw new CheckpointError(`${met}; choose or load it again`, { cause: error })
}

type ReadSlice = (start: number, end: number) => Promise<Uint8Array>

class SlicedSource implements ByteSource {
  readonly name: string
  readonly size: number
  readonly #slice: ReadSlice

  constructor(name: string, size: number, slice: ReadSlice) {
    this.name = name
    this.size = size
    this.#slice = slice
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = offset + length
    if (!(offset >= 0 && length >= 0 && end <= this.size)) {
      throw new CheckpointError(`${this.name}: bytes ${offset} to ${end} were asked for; there are ${this.size} bytes`)
    }
    const bytes = await this.#slice(offset, end)
    if (bytes.length === length) return bytes
    throw new CheckpointError(`${this.name}: ${bytes.length} bytes came for ${length} at ${offset}; has it changed?`)
  }
}
