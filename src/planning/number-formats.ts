/**
 * How numbers are stored: plain, in ggml's blocks, or with scales beside them. Bytes of a row are exact; a row that
 * does not fill whole blocks is refused, because no engine would store it.
 */
import { OptionError } from '../errors.ts'
import { WEIGHT_TYPES, type WeightType } from '../tensor/dtype.ts'

export interface NumberFormat {
  readonly name: string
  /** Numbers stored together, and the bytes they take. */
  readonly elements: number
  readonly bytes: number
  /** One f32 beside every so many numbers of a row; Infinity: one for the row. 0: none. */
  readonly scaleEvery: number
}

const F32_BYTES = 4

export function plainFormat(type: WeightType): NumberFormat {
  return { name: type, ...WEIGHT_TYPES[type], scaleEvery: 0 }
}

/** e4m3 with an f32 per 128 numbers, as DeepSeek's caches have it. */
export const E4M3_PER_128: NumberFormat = { name: 'e4m3 with an f32 per 128', elements: 1, bytes: 1, scaleEvery: 128 }
export const INT8_PER_ROW: NumberFormat = {
  name: 'int8 with an f32 per row',
  elements: 1,
  bytes: 1,
  scaleEvery: Number.POSITIVE_INFINITY,
}

/** Bytes of `n` numbers in a row. */
export function rowBytes({ name, elements, bytes, scaleEvery }: NumberFormat, n: number): number {
  if (n % elements !== 0) {
    throw new OptionError(
      `${name} stores ${elements} numbers together, and a row of ${n} does not fill whole blocks; ` +
        `take a plain type such as f16, or one type for each part of the row, as in q8_0/bf16.`,
    )
  }
  const scales = scaleEvery === 0 || n === 0 ? 0 : Math.max(1, Math.ceil(n / scaleEvery))
  return (n / elements) * bytes + scales * F32_BYTES
}

/** Other spellings of plain types, as engines and configs write them. */
const ALIASES: Readonly<Record<string, WeightType>> = {
  fp32: 'f32',
  float32: 'f32',
  fp16: 'f16',
  float16: 'f16',
  half: 'f16',
  bfloat16: 'bf16',
  fp8: 'e4m3',
  fp8_e4m3: 'e4m3',
  f8_e4m3: 'e4m3',
  q4_k_m: 'q4_k',
  q4_k_s: 'q4_k',
  q5_k_m: 'q5_k',
  q5_k_s: 'q5_k',
}

/** The type a name stands for; undefined: none. */
export function weightTypeNamed(text: string): WeightType | undefined {
  const name = text.trim().toLowerCase()
  if (Object.hasOwn(WEIGHT_TYPES, name)) return name as WeightType
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
}

/** A type of weights for a row of the cache, or `6bit`: packed numbers without any scale. */
export function formatNamed(text: string): NumberFormat | undefined {
  const type = weightTypeNamed(text)
  // Everyone calls e4m3 fp8.
  if (type) return { ...plainFormat(type), ...(type === 'e4m3' && { name: 'fp8' }) }
  const bits = Number(/^(\d+)-?bit$/.exec(text.trim())?.[1] ?? 0)
  return bits >= 1 && bits <= 64 ? { name: `${bits}bit`, elements: 8, bytes: bits, scaleEvery: 0 } : undefined
}
