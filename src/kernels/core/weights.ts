import { OutOfMemoryError } from '../../errors.ts'
import { decodeBlocks } from '../../quant/decode/index.ts'
import { isPackedType } from '../../quant/packed.ts'
import type { ByteRange } from '../../tensor/bytes.ts'
import { type BlockType, isBlockType, WEIGHT_TYPES, weightBytes } from '../../tensor/dtype.ts'
import { type Tensor, tensorAt } from '../../tensor/tensor.ts'
import type { WeightSource } from '../contract/weights.ts'
import { axisOf, expectDense } from '../operations/check.ts'
import { TYPE_CODES } from '../operations/codes.ts'
import type { CoreMemory } from './memory.ts'
import { packBlocks, packedSize } from './packed.ts'
import { PIECE, readPiece } from './read-piece.ts'
import { Recorder } from './recorder.ts'
import type { CoreExperts, CoreWeight } from './weight.ts'

export async function prepare(memory: CoreMemory, source: WeightSource, exact: boolean): Promise<CoreWeight> {
  const w = await locate(memory, source, exact)
  if (memory.isMapped(w.address)) memory.watch(source.bytes)
  if (source.scales && memory.isMapped(w.scales)) memory.watch(source.scales.bytes)
  return w
}

/** A matrix as `prepare` gives it, for one look: its file is not watched. */
async function locate(memory: CoreMemory, source: WeightSource, exact: boolean): Promise<CoreWeight> {
  const { name, dtype, rows, cols, bytes, transposed } = source
  const plain = { memory, name, rows, cols, packed: false, scales: 0, blockRows: 1, blockCols: 1 }
  if (isBlockType(dtype)) {
    if (transposed) throw new RangeError(`prepare: ${name} is stored transposed, which blocks of ${dtype} cannot be`)
    expectBytes(source, bytes, weightBytes(dtype, rows, cols))
    if (!exact && isPackedType(dtype)) {
      const address = located(bytes, () => memory.allocWeight(packedSize(memory, dtype, rows, cols)))
      await packBlocks(memory, address, source, dtype)
      return { ...plain, dtype, address, packed: true }
    }
    return { ...plain, dtype: 'f32', address: (await decodeRows(memory, source, dtype)).address }
  }
  const size = WEIGHT_TYPES[dtype].bytes
  expectBytes(source, bytes, rows * cols * size)
  const mapped = transposed ? null : memory.mapped(bytes, size)
  const address = mapped ?? (await copyBytes(memory, source, bytes, transposed === true)).address
  const { scales } = source
  if (!scales) return { ...plain, dtype, address }
  const { blockRows, blockCols } = scales
  expectBytes(source, scales.bytes, 4 * Math.ceil(rows / blockRows) * Math.ceil(cols / blockCols))
  const factors = memory.mapped(scales.bytes, 4) ?? (await copyBytes(memory, source, scales.bytes, false)).address
  return { ...plain, dtype, address, scales: factors, blockRows, blockCols }
}

export async function prepareExperts(
  memory: CoreMemory,
  sources: readonly WeightSource[],
  exact: boolean,
): Promise<CoreExperts> {
  const first = sources[0]
  if (!first) throw new RangeError('prepareExperts: no expert')
  const { name, rows, cols } = first
  const blockRows = first.scales?.blockRows ?? 1
  const blockCols = first.scales?.blockCols ?? 1
  // Experts of one type are what files have; else their numbers are taken as they are.
  const isUniform = sources.every(source => source.dtype === first.dtype)
  const fields = new Float64Array(3 * sources.length)
  let packed = false
  for (const [e, source] of sources.entries()) {
    const w = await prepare(memory, source, exact || !isUniform)
    packed = w.packed
    if (w.rows !== rows || w.cols !== cols) {
      throw new RangeError(`prepareExperts: ${w.name} is ${w.rows} x ${w.cols}, expected ${rows} x ${cols}`)
    }
    if (w.scales && (w.blockRows !== blockRows || w.blockCols !== blockCols)) {
      throw new RangeError(`prepareExperts: ${w.name} has blocks of another size than ${name}`)
    }
    fields.set([w.address, TYPE_CODES[w.dtype], w.scales], 3 * e)
  }
  const table = memory.alloc('f64', [sources.length, 3])
  memory.upload(table, fields)
  const { address } = table
  return { memory, name, experts: sources.length, rows, cols, packed, table: address, blockRows, blockCols }
}

/** f32 [rows * cols]. */
export async function prepareVector(memory: CoreMemory, source: WeightSource, add: number): Promise<Tensor> {
  const { rows, cols, bytes } = source
  const w = await locate(memory, source, true)
  const isCopy = !memory.isMapped(w.address)
  const vector = memory.alloc('f32', [rows * cols])
  const recorder = new Recorder(memory, true)
  recorder.addToVector(vector, add, w)
  recorder.run()
  if (isCopy) memory.free(tensorAt(w.address, 'u8', []))
  else memory.expectUnchanged(bytes)
  return vector
}

/** A matrix in memory of its own: contiguous f32 of 2 axes. */
export function weightOf(memory: CoreMemory, name: string, values: Tensor): CoreWeight {
  const [rows, cols] = [axisOf(values, 0), axisOf(values, 1)]
  expectDense('weightOf: values', values, 'f32', rows, cols)
  const plain = { memory, name, dtype: 'f32', packed: false, scales: 0, blockRows: 1, blockCols: 1 } as const
  return { ...plain, rows, cols, address: values.address }
}

export function expertsOf(memory: CoreMemory, name: string, values: Tensor): CoreExperts {
  const [experts, rows, cols] = [axisOf(values, 0), axisOf(values, 1), axisOf(values, 2)]
  expectDense('expertsOf: values', values, 'f32', experts, rows, cols)
  const address = (e: number) => values.address + 4 * e * rows * cols
  const fields = Array.from({ length: experts }, (_, e) => [address(e), TYPE_CODES.f32, 0])
  const table = memory.alloc('f64', [experts, 3])
  memory.upload(table, Float64Array.from(fields.flat()))
  return { memory, name, experts, rows, cols, packed: false, table: table.address, blockRows: 1, blockCols: 1 }
}

function expectBytes({ name, rows, cols, dtype }: WeightSource, range: ByteRange, expected: number): void {
  if (range.length === expected) return
  throw new RangeError(
    `prepare: ${name} (${rows} x ${cols} ${dtype}) has ${range.length} bytes where ${expected} are expected`,
  )
}

/** Copies a range in pieces; a matrix stored as [cols, rows] is transposed on the way. */
async function copyBytes(
  memory: CoreMemory,
  source: WeightSource,
  range: ByteRange,
  transposed: boolean,
): Promise<Tensor> {
  const { rows, cols } = source
  const size = WEIGHT_TYPES[source.dtype].bytes
  const to = located(range, () => memory.alloc('u8', [range.length]))
  // Whole stored rows are transposed at a time.
  const step = transposed ? Math.max(1, Math.floor(PIECE / (rows * size))) * rows * size : PIECE
  const piece = transposed ? memory.alloc('u8', [Math.min(step, range.length)]) : null
  try {
    for (let done = 0; done < range.length; done += step) {
      const length = Math.min(step, range.length - done)
      const bytes = await readPiece(range, done, length, source.name)
      memory.host.write(piece ? piece.address : to.address + done, bytes)
      if (piece) {
        const row = rows * size
        const recorder = new Recorder(memory, true)
        const [first, stored] = [done / row, length / row]
        recorder.transpose({ to: to.address, from: piece.address, bytes: size, rows, cols, first, stored })
        recorder.run()
      }
    }
  } catch (error) {
    memory.free(to)
    throw error
  } finally {
    if (piece) memory.free(piece)
  }
  return to
}

/** Quantised blocks as exact f32, a few rows at a time. */
async function decodeRows(memory: CoreMemory, source: WeightSource, type: BlockType): Promise<Tensor> {
  const { name, rows, cols, bytes } = source
  const rowBytes = weightBytes(type, 1, cols)
  const to = located(bytes, () => memory.alloc('u8', [4 * rows * cols]))
  const step = Math.max(1, Math.floor(PIECE / rowBytes))
  try {
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row)
      const stored = await readPiece(bytes, row * rowBytes, count * rowBytes, name)
      const values = decodeBlocks(type, stored)
      memory.host.write(to.address + 4 * row * cols, new Uint8Array(values.buffer))
    }
  } catch (error) {
    memory.free(to)
    throw error
  }
  return to
}

/** An allocation whose message, when there is no memory, names the file and its size. */
function located<T>({ source }: ByteRange, allocate: () => T): T {
  try {
    return allocate()
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error
    throw new OutOfMemoryError(`${source.name} has ${source.size} bytes. ${error.message}`, { cause: error })
  }
}
