import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { ExpertWeights, Weight } from '../../src/kernels/contract/weights.ts'
import { BF16, decode, E4M3, F16, type ShortFloat } from '../../src/quant/halves.ts'
import { DTYPE_BYTES, type DType, isBlockType, type WeightType } from '../../src/tensor/dtype.ts'
import { elementCount, type Tensor, type TypedArray, tensorAt } from '../../src/tensor/tensor.ts'
import { randomBlocks } from '../support/blocks.ts'
import type { Rng } from '../support/rng.ts'
import { type Scales, weightSource } from '../support/weights.ts'

/** What an operation left in one of its outputs. */
export interface Result {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float64Array
}

interface Watched {
  readonly name: string
  readonly backing: Tensor
  /** Bytes of the backing before the operations ran. */
  readonly before: Uint8Array
  /** null: an input, nothing of it may change. */
  readonly output: Tensor | null
  free(): void
}

const SHORT: Partial<Record<DType, ShortFloat>> = { f16: F16, bf16: BF16, e4m3: E4M3 }
const FILLER = 0xab
/** Before and behind every tensor; no multiple of 16, so that nobody may count on aligned tensors. */
export const GUARD = 72

/**
 * Memory of one kernel set for one case. Every tensor lies between guard bytes; outputs hold NaN before,
 * and afterwards inputs and all bytes that are no output must be what they were. The same seed gives the same case on
 * every kernel set.
 */
export class Lab {
  readonly k: Kernels
  readonly rng: Rng
  readonly #watched: Watched[] = []

  constructor(kernels: Kernels, rng: Rng) {
    this.k = kernels
    this.rng = rng
  }

  /** A contiguous input of these elements (bits for short floats). */
  input(dtype: DType, shape: readonly number[], data: ArrayLike<number>): Tensor {
    return this.#place(`input ${this.#watched.length}`, dtype, shape, data, () => null)
  }

  normals(shape: readonly number[], scale = 1): Tensor {
    return this.input('f32', shape, this.rng.normals(elementCount(shape), scale))
  }

  /** An output: a tensor of `shape`, or the part of it that `part` cuts out. Holds NaN before, other bytes 0xAB. */
  output(
    name: string,
    dtype: DType,
    shape: readonly number[],
    part: (whole: Tensor) => Tensor = whole => whole,
  ): Tensor {
    return part(this.#place(name, dtype, shape, null, part))
  }

  /** An output that is read, too: `y` may be `x`, results that are carried on. */
  inout(
    name: string,
    dtype: DType,
    shape: readonly number[],
    data: ArrayLike<number>,
    part: (whole: Tensor) => Tensor = whole => whole,
  ): Tensor {
    return part(this.#place(name, dtype, shape, data, part))
  }

  /**
   * Blocks of a cache, filled with elements: each lies GUARD bytes into its memory, and is an output where a name is given.
   * Ids in the order of `blocks`.
   */
  blocks(dtype: DType, blocks: readonly ArrayLike<number>[], output?: string): number[] {
    return blocks.map((elements, i) => {
      const size = elements.length * DTYPE_BYTES[dtype]
      const block = this.k.memory.allocBlock(GUARD + size + GUARD)
      const whole = tensorAt(block.memory.address + GUARD, dtype, [elements.length])
      const before = new Uint8Array(GUARD + size + GUARD).fill(FILLER)
      before.set(bytesOf(dtype, elements), GUARD)
      this.k.memory.upload(block.memory, before)
      const name = output ? `${output} ${i}` : `block ${i}`
      this.#watched.push({
        name,
        backing: block.memory,
        before,
        output: output ? whole : null,
        free: () => this.k.memory.freeBlock(block),
      })
      return block.id
    })
  }

  weight(
    dtype: WeightType,
    rows: number,
    cols: number,
    options: { scales?: readonly [number, number]; transposed?: boolean; data?: TypedArray } = {},
  ): Promise<Weight> {
    return this.k.prepare(this.source(dtype, rows, cols, options))
  }

  /** FP8 ones with scales of ragged blocks. */
  experts(dtype: WeightType, experts: number, rows: number, cols: number): Promise<ExpertWeights> {
    const options = dtype === 'e4m3' ? { scales: [7, 9] as const } : {}
    return this.k.prepareExperts(Array.from({ length: experts }, () => this.source(dtype, rows, cols, options)))
  }

  source(
    dtype: WeightType,
    rows: number,
    cols: number,
    options: { scales?: readonly [number, number]; transposed?: boolean; data?: TypedArray } = {},
  ) {
    const data = options.data ?? this.#randomElements(dtype, rows * cols)
    const [blockRows, blockCols] = options.scales ?? [1, 1]
    const grid = Math.ceil(rows / blockRows) * Math.ceil(cols / blockCols)
    const scales: Scales | undefined = options.scales && {
      data: Float32Array.from({ length: grid }, () => 2 ** -6 * (0.5 + this.rng.uniform())),
      blockRows,
      blockCols,
    }
    return weightSource('w', dtype, rows, cols, data, { scales, transposed: options.transposed })
  }

  #randomElements(dtype: WeightType, n: number): TypedArray {
    if (isBlockType(dtype)) return randomBlocks(dtype, n, this.rng)
    if (dtype === 'f32') return this.rng.normals(n)
    const codes = dtype === 'e4m3' ? new Uint8Array(n) : new Uint16Array(n)
    // Every e4m3 code but the two NaNs.
    for (let i = 0; i < n; i++) {
      codes[i] = dtype === 'e4m3' ? this.rng.below(127) + 128 * this.rng.below(2) : randomShort(this.rng, dtype)
    }
    return codes
  }

  #place(
    name: string,
    dtype: DType,
    shape: readonly number[],
    data: ArrayLike<number> | null,
    part: (whole: Tensor) => Tensor | null,
  ): Tensor {
    const size = DTYPE_BYTES[dtype]
    const n = elementCount(shape)
    const backing = this.k.memory.alloc('u8', [GUARD + n * size + GUARD])
    const whole = tensorAt(backing.address + GUARD, dtype, shape)
    const output = part(whole)
    const bytes = new Uint8Array(backing.shape[0]!).fill(FILLER)
    if (data) bytes.set(bytesOf(dtype, data), GUARD)
    else if (output) for (const start of elementStarts(output, backing.address)) bytes.fill(0xff, start, start + size)
    this.k.memory.upload(backing, bytes)
    this.#watched.push({ name, backing, before: bytes, output, free: () => this.k.memory.free(backing) })
    return whole
  }

  /** Waits for the operations and takes the outputs. Throws if any byte changed that is no output's. */
  async results(): Promise<Result[]> {
    await this.k.submit()
    const results: Result[] = []
    for (const { name, backing, before, output } of this.#watched) {
      const after = (await this.k.memory.read(backing)) as Uint8Array
      if (output) {
        const starts = elementStarts(output, backing.address)
        const size = DTYPE_BYTES[output.dtype]
        results.push({ name, shape: output.shape, values: valuesAt(output.dtype, after, starts) })
        for (const start of starts) for (let i = start; i < start + size; i++) before[i] = after[i]!
      }
      let changed = 0
      while (changed < before.length && before[changed] === after[changed]) changed++
      if (changed < before.length) {
        throw new Error(`${name}: byte ${changed - GUARD} changed, which is ${output ? 'outside the output' : 'input'}`)
      }
    }
    return results
  }

  free(): void {
    for (const watched of this.#watched) watched.free()
    this.#watched.length = 0
  }
}

/** Bits of a number between 1/8 and 2 of either sign. */
export function randomShort(rng: Rng, dtype: 'f16' | 'bf16'): number {
  const { mantissaBits, minExponent, signBit } = SHORT[dtype]!
  const exponent = 1 - minExponent - rng.below(4)
  return (rng.below(2) * signBit) | (exponent << mantissaBits) | rng.below(1 << mantissaBits)
}

/** Byte offset of each element within its backing, in the order of the shape. */
function elementStarts(t: Tensor, base: number): Int32Array {
  let starts = Int32Array.of(t.address - base)
  t.shape.forEach((n, axis) => {
    const step = t.strides[axis]! * DTYPE_BYTES[t.dtype]
    const further = new Int32Array(starts.length * n)
    for (let at = 0; at < further.length; at++) further[at] = starts[Math.floor(at / n)]! + (at % n) * step
    starts = further
  })
  return starts
}

function bytesOf(dtype: DType, data: ArrayLike<number>): Uint8Array {
  const typed = arrayOf(dtype, data.length)
  typed.set(data)
  return new Uint8Array(typed.buffer, 0, typed.byteLength)
}

function valuesAt(dtype: DType, bytes: Uint8Array, starts: Int32Array): Float64Array {
  const read = readerOf(dtype, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const format = SHORT[dtype]
  const values = new Float64Array(starts.length)
  for (let i = 0; i < values.length; i++) {
    const value = read(starts[i]!)
    values[i] = format ? decode(value, format) : value
  }
  return values
}

function readerOf(dtype: DType, view: DataView): (byte: number) => number {
  switch (dtype) {
    case 'f32':
      return byte => view.getFloat32(byte, true)
    case 'f64':
      return byte => view.getFloat64(byte, true)
    case 'i32':
      return byte => view.getInt32(byte, true)
    case 'f16':
    case 'bf16':
      return byte => view.getUint16(byte, true)
    default:
      return byte => view.getUint8(byte)
  }
}

function arrayOf(dtype: DType, n: number) {
  switch (dtype) {
    case 'f32':
      return new Float32Array(n)
    case 'f64':
      return new Float64Array(n)
    case 'i32':
      return new Int32Array(n)
    case 'f16':
    case 'bf16':
      return new Uint16Array(n)
    default:
      return new Uint8Array(n)
  }
}
