import type { WeightSource } from '../../kernels/contract/weights.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { type WeightType, weightBytes } from '../../tensor/dtype.ts'

/** Computes rows `start` to `start + count`, as bytes. */
export type ComputeRows = (start: number, count: number) => Promise<Uint8Array>

/** Numbers computed at a time: 16 MiB of f32. */
const CHUNK_NUMBERS = 4 << 20

export interface MatrixShape {
  /** For messages. */
  readonly name: string
  readonly dtype: WeightType
  readonly rows: number
  readonly cols: number
}

/** A matrix whose rows are computed when they are read, so that only one chunk is in memory. `origin`: for messages. */
export function lazyMatrix(shape: MatrixShape, origin: string, compute: ComputeRows): WeightSource {
  const source = new LazyRows(shape, origin, compute)
  const { name, dtype, rows, cols } = shape
  return { name, dtype, rows, cols, bytes: { source, offset: 0, length: source.size } }
}

class LazyRows implements ByteSource {
  readonly name: string
  readonly size: number
  readonly #rowBytes: number
  readonly #chunkRows: number
  readonly #compute: ComputeRows

  constructor({ dtype, rows, cols }: MatrixShape, origin: string, compute: ComputeRows) {
    this.name = origin
    this.#rowBytes = weightBytes(dtype, 1, cols)
    this.#chunkRows = Math.max(1, Math.floor(CHUNK_NUMBERS / cols))
    this.size = rows * this.#rowBytes
    this.#compute = compute
  }

  /** Computes whole rows even if only a part of one is read. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const rowBytes = this.#rowBytes
    const bytes = new Uint8Array(length)
    const end = Math.ceil((offset + length) / rowBytes)
    for (let row = Math.floor(offset / rowBytes); row < end; row += this.#chunkRows) {
      const made = await this.#compute(row, Math.min(this.#chunkRows, end - row))
      const start = Math.max(0, offset - row * rowBytes)
      const stop = Math.min(made.length, offset + length - row * rowBytes)
      bytes.set(made.subarray(start, stop), row * rowBytes + start - offset)
    }
    return bytes
  }
}
