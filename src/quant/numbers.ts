/** Converts numbers of every weight type to f32 and back. */
import { isBlockType, WEIGHT_TYPES, type WeightType } from '../tensor/dtype.ts'
import { HALVES } from './decode/block.ts'
import { decodeBlocks } from './decode/index.ts'
import { ENCODABLE_BLOCK_TYPES, type EncodableBlockType, encodeBlocks } from './encode/index.ts'
import { BF16, decodeTable, E4M3, encode, F16 } from './halves.ts'

/** Types that weights can be converted to. */
export type EncodableType = 'f32' | 'f16' | 'bf16' | EncodableBlockType

export const ENCODABLE_TYPES: readonly EncodableType[] = ['f32', 'f16', 'bf16', ...ENCODABLE_BLOCK_TYPES]

export function isEncodableType(type: string): type is EncodableType {
  return (ENCODABLE_TYPES as readonly string[]).includes(type)
}

const TABLES = { f16: HALVES, bf16: decodeTable(BF16), e4m3: decodeTable(E4M3) }

/** Decodes stored numbers (FP8 without its scales). Checkpoints are little-endian, as is every machine that runs JavaScript. */
export function decodeNumbers(type: WeightType, bytes: Uint8Array): Float32Array {
  const size = WEIGHT_TYPES[type].bytes
  if (bytes.length % size !== 0) throw new RangeError(`${bytes.length} bytes are no whole number of ${type}`)
  if (isBlockType(type)) return decodeBlocks(type, bytes)
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
  const { buffer, byteOffset } = aligned
  const count = bytes.length / size
  if (type === 'f32') return new Float32Array(buffer, byteOffset, count)
  const codes = type === 'e4m3' ? aligned : new Uint16Array(buffer, byteOffset, count)
  const table = TABLES[type]
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = table[codes[i]!]!
  return values
}

/** Encodes numbers, each rounded once; block types need whole blocks of finite numbers. */
export function encodeNumbers(type: EncodableType, values: Float32Array): Uint8Array {
  if (type === 'f32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  if (type !== 'f16' && type !== 'bf16') return encodeBlocks(type, values)
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const codes = new Uint16Array(values.length)
  const round = type === 'f16' ? roundToHalf : roundToBfloat
  for (let i = 0; i < codes.length; i++) codes[i] = round(bits[i]!, values, i)
  return new Uint8Array(codes.buffer)
}

/** Fast path by bits for normal numbers and zero; subnormal results, infinities and NaN are rare. */
function roundToHalf(bits: number, values: Float32Array, i: number): number {
  const magnitude = bits & 0x7fffffff
  if (magnitude === 0) return bits >>> 16
  if (magnitude < 0x38800000 || magnitude >= 0x477ff000) return encode(values[i]!, F16)
  const code = magnitude - 0x38000000
  return ((bits >>> 16) & 0x8000) | ((code + 0xfff + ((code >>> 13) & 1)) >>> 13)
}

function roundToBfloat(bits: number, values: Float32Array, i: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return encode(values[i]!, BF16)
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}
