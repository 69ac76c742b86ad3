import type { WeightSource } from '../../kernels/contract/weights.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { type WeightType, weightBytes } from '../../tensor/dtype.ts'

/** Bytes of rows `start` to `start + count`. */
export type MakeRows = (start: number, count: number) => Promise<Uint8Array>

/** Numbers made at a time: 16 MiB of f32. */
const PIECE = 4 << 20

export interface MatrixShape {
  /** For messages. */
  readonly name: string
  readonly dtype: WeightType
  readonly rows: number
  readonly cols: number
}

/** A matrix whose rows are made when they are read, so that no more than a piece of it is ever held. */
export function madeMatrix(shape: MatrixShape, madeFrom: string, make: MakeRows): WeightSource {
  const source = new MadeRows(shape, madeFrom, make)
  const { name, dtype, rows, cols } = shape
  return { name, dtype, rows, cols, bytes: { source, offset: 0, length: source.size } }
}

class MadeRows implements ByteSource {
  readonly name: string
  readonly size: number
  readonly #rowBytes: number
  readonly #step: number
  readonly #make: MakeRows

  constructor({ dtype, rows, cols }: MatrixShape, madeFrom: string, make: MakeRows) {
    this.name = madeFrom
    this.#rowBytes = weightBytes(dtype, 1, cols)
    this.#step = Math.max(1, Math.floor(PIECE / cols))
    this.size = rows * this.#rowBytes
    this.#make = make
  }

  /** Whole rows are made, even where only a part of one is asked for. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const rowBytes = this.#rowBytes
    const bytes = new Uint8Array(length)
    const end = Math.ceil((offset + length) / rowBytes)
    for (let row = Math.floor(offset / rowBytes); row < end; row += this.#step) {
      const made = await this.#make(row, Math.min(this.#step, end - row))
      const start = Math.max(0, offset - row * rowBytes)
      const stop = Math.min(made.length, offset + length - row * rowBytes)
      bytes.set(made.subarray(start, stop), row * rowBytes + start - offset)
    }
    return bytes
  }
}
