import { type EncodableType, encodeNumbers } from '../../kernels/blocks/numbers.ts'
import type { WeightSource } from '../../kernels/contract.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import { checkNumbers, readRows } from './weight-rows.ts'

/** Numbers turned at a time: 16 MiB of f32. */
const PIECE = 4 << 20

/**
 * The matrix in another type: bytes are made when they are read, row by row, so that no more than a piece is held.
 * The matrix itself where it is of that type already. Reading throws CheckpointError for numbers that the type lacks.
 */
export function recoded(source: WeightSource, type: EncodableType): WeightSource {
  if (source.dtype === type && !source.transposed) return source
  const { name, rows, cols } = source
  const bytes = new RecodedBytes(source, type)
  return { name, dtype: type, rows, cols, bytes: { source: bytes, offset: 0, length: bytes.size } }
}

class RecodedBytes implements ByteSource {
  readonly name: string
  readonly size: number
  readonly #from: WeightSource
  readonly #type: EncodableType
  readonly #rowBytes: number

  constructor(from: WeightSource, type: EncodableType) {
    this.name = from.bytes.source.name
    this.#from = from
    this.#type = type
    this.#rowBytes = weightBytes(type, 1, from.cols)
    this.size = from.rows * this.#rowBytes
  }

  /** Whole rows are made, even where only a part of one is asked for. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const rowBytes = this.#rowBytes
    const bytes = new Uint8Array(length)
    const end = Math.ceil((offset + length) / rowBytes)
    const step = Math.max(1, Math.floor(PIECE / this.#from.cols))
    for (let row = Math.floor(offset / rowBytes); row < end; row += step) {
      const count = Math.min(step, end - row)
      const made = await this.#rows(row, count)
      const start = Math.max(0, offset - row * rowBytes)
      const stop = Math.min(made.length, offset + length - row * rowBytes)
      bytes.set(made.subarray(start, stop), row * rowBytes + start - offset)
    }
    return bytes
  }

  async #rows(start: number, count: number): Promise<Uint8Array> {
    const values = await readRows(this.#from, start, count)
    checkNumbers(values, this.#from, this.#type)
    return encodeNumbers(this.#type, values)
  }
}
