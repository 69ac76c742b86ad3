import { CheckpointError } from '../errors.ts'
import { decodeNumbers } from '../quant/numbers.ts'
import { quote } from './quote.ts'
import type { TensorEntry } from './tensor-entry.ts'

/**
 * All numbers of a small floating-point tensor, row by row, as f32: for expected values and tests. F64 is rounded.
 * (Weights do not come through here: kernels read them from the file.)
 */
export async function readFloats(entry: TensorEntry): Promise<Float32Array> {
  const { source, offset, length } = entry.bytes
  if (entry.dtype === 'F64') return Float32Array.from(new Float64Array(await aligned(source.read(offset, length))))
  const type = FLOATS.find(type => type.toUpperCase() === entry.dtype)
  if (type === undefined) throw wrongType(entry, 'F32, F16, BF16 or F64')
  return decodeNumbers(type, await source.read(offset, length))
}

const FLOATS = ['f32', 'f16', 'bf16'] as const

/** All numbers of a small integer tensor (token ids); 64-bit values must be exact in a double. */
export async function readIntegers(entry: TensorEntry): Promise<number[]> {
  const { source, offset, length } = entry.bytes
  const read = Object.hasOwn(INTEGERS, entry.dtype) ? INTEGERS[entry.dtype] : undefined
  if (read === undefined) throw wrongType(entry, Object.keys(INTEGERS).join(', '))
  return Array.from(read(await aligned(source.read(offset, length))), value => {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    throw new CheckpointError(`${where(entry)} holds ${value}; expected integers between -2^53 and 2^53`)
  })
}

const INTEGERS: Partial<Record<string, (bytes: ArrayBuffer) => Iterable<number | bigint>>> = {
  I64: bytes => new BigInt64Array(bytes),
  U64: bytes => new BigUint64Array(bytes),
  I32: bytes => new Int32Array(bytes),
  U32: bytes => new Uint32Array(bytes),
  I16: bytes => new Int16Array(bytes),
  U16: bytes => new Uint16Array(bytes),
  I8: bytes => new Int8Array(bytes),
  U8: bytes => new Uint8Array(bytes),
}

/** A buffer of exactly these bytes, aligned for typed arrays of any width. */
async function aligned(read: Promise<Uint8Array>): Promise<ArrayBuffer> {
  const bytes = await read
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
  return (whole ? bytes.buffer : new Uint8Array(bytes).buffer) as ArrayBuffer
}

function wrongType(entry: TensorEntry, expected: string): CheckpointError {
  return new CheckpointError(`${where(entry)} is ${entry.dtype}; expected ${expected}`)
}

function where(entry: TensorEntry): string {
  const { source } = entry.bytes
  return `${source.path ?? source.name}: tensor ${quote(entry.name)}`
}
