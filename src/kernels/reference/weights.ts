import { decodeNumbers } from '../../quant/numbers.ts'
import type { ByteRange } from '../../tensor/bytes.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import { type Tensor, view } from '../../tensor/tensor.ts'
import type { ExpertWeights, Weight, WeightSource } from '../contract/weights.ts'
import { axisOf, expectDense } from '../operations/check.ts'
import type { Memory } from './memory.ts'

/** Decoded once, to f32 in the memory of the kernel set. */
export interface ReferenceWeight extends Weight {
  /** f32 [rows, cols]. */
  readonly values: Tensor
}

export interface ReferenceExperts extends ExpertWeights {
  readonly weights: readonly ReferenceWeight[]
}

export async function prepare(memory: Memory, source: WeightSource): Promise<ReferenceWeight> {
  const { name, dtype, rows, cols } = source
  const expected = source.transposed ? weightBytes(dtype, cols, rows) : weightBytes(dtype, rows, cols)
  if (source.bytes.length !== expected) {
    throw new RangeError(
      `prepare: ${name} has ${source.bytes.length} bytes; ${rows} x ${cols} of ${dtype} take ${expected}`,
    )
  }
  const stored = decodeNumbers(dtype, await readBytes(source.bytes, source))
  const factorOf = await readScales(source)
  const values = memory.alloc('f32', [rows, cols])
  const { data, start } = memory.open(values, 'f32', `prepare: ${name}`)
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < cols; k++) {
      const value = stored[source.transposed ? k * rows + n : n * cols + k]!
      data[start + n * cols + k] = value * factorOf(n, k)
    }
  }
  return { name, dtype, rows, cols, values }
}

export async function prepareExperts(memory: Memory, sources: readonly WeightSource[]): Promise<ReferenceExperts> {
  const first = sources[0]
  if (!first) throw new RangeError('prepareExperts: no expert')
  const weights: ReferenceWeight[] = []
  for (const source of sources) {
    if (source.rows !== first.rows || source.cols !== first.cols) {
      throw new RangeError(
        `prepareExperts: ${source.name} is ${source.rows} x ${source.cols}, expected ${first.rows} x ${first.cols}`,
      )
    }
    weights.push(await prepare(memory, source))
  }
  return { name: first.name, experts: weights.length, rows: first.rows, cols: first.cols, weights }
}

/** f32 [rows * cols]. */
export async function prepareVector(memory: Memory, source: WeightSource, add: number): Promise<Tensor> {
  const { values } = await prepare(memory, source)
  const { data, start } = memory.open(values, 'f32', `prepareVector: ${source.name}`)
  const n = source.rows * source.cols
  for (let i = start; i < start + n; i++) data[i] = data[i]! + add
  return { ...values, shape: [n], strides: [1] }
}

/** The numbers of a weight that this kernel set prepared. */
export function valuesOf(weight: Weight, what: string): Tensor {
  if ('values' in weight) return (weight as ReferenceWeight).values
  throw new RangeError(`${what}: ${weight.name} was not prepared by the reference kernels`)
}

export function expertValuesOf(weights: ExpertWeights, what: string): Tensor[] {
  if ('weights' in weights) return (weights as ReferenceExperts).weights.map(w => w.values)
  throw new RangeError(`${what}: ${weights.name} was not prepared by the reference kernels`)
}

/** The value at [row, col] is multiplied by its block's factor; without scales by 1. */
async function readScales(source: WeightSource): Promise<(row: number, col: number) => number> {
  if (!source.scales) return () => 1
  const { bytes, blockRows, blockCols } = source.scales
  const gridCols = Math.ceil(source.cols / blockCols)
  const factors = decodeNumbers('f32', await readBytes(bytes, source))
  if (factors.length !== Math.ceil(source.rows / blockRows) * gridCols) {
    throw new RangeError(
      `prepare: ${source.name} has ${factors.length} scales for ${source.rows} x ${source.cols} in blocks of ` +
        `${blockRows} x ${blockCols}`,
    )
  }
  return (row, col) => factors[Math.floor(row / blockRows) * gridCols + Math.floor(col / blockCols)]!
}

async function readBytes(range: ByteRange, source: WeightSource): Promise<Uint8Array> {
  const bytes = await range.source.read(range.offset, range.length)
  if (bytes.byteLength === range.length) return bytes
  throw new RangeError(
    `prepare: ${source.name} got ${bytes.byteLength} of ${range.length} bytes from ${range.source.name}`,
  )
}

/** Throws RangeError for what is no contiguous f32 tensor of 2 axes. */
export function weightOf(name: string, values: Tensor): ReferenceWeight {
  const [rows, cols] = [axisOf(values, 0), axisOf(values, 1)]
  expectDense('weightOf: values', values, 'f32', rows, cols)
  return { name, dtype: 'f32', rows, cols, values }
}

export function expertsOf(name: string, values: Tensor): ReferenceExperts {
  const [experts, rows, cols] = [axisOf(values, 0), axisOf(values, 1), axisOf(values, 2)]
  expectDense('expertsOf: values', values, 'f32', experts, rows, cols)
  const weights = Array.from({ length: experts }, (_, e) => weightOf(name, view(values, e * rows * cols, [rows, cols])))
  return { name, experts, rows, cols, weights }
}
