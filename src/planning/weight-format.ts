/** How weights are stored: which tensors in which type, and the bytes that follow. */
import { OptionError } from '../errors.ts'
import { fitting } from '../quant/fallback.ts'
import { isBlockType, WEIGHT_TYPES, type WeightType } from '../tensor/dtype.ts'
import type { PartRole, WeightPart } from './weight-parts.ts'

export interface WeightFormat {
  readonly name: string
  readonly types: Readonly<Record<PartRole, WeightType>>
  /** e4m3 matrices have an f32 for each block of so many rows and columns. */
  readonly scaleBlock: number
}

/** For messages and help. */
export const WEIGHT_FORMATS =
  'f32, f16, bf16, fp8 (e4m3 with a factor per 128 x 128), mxfp4 (experts only), q8_0, q6_k, q5_k, q4_k, q4_0 and ggml’s other types'

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

export function weightFormat(text: string): WeightFormat {
  const type = weightTypeNamed(text)
  if (!type) {
    throw new OptionError(`There is no weight type ${JSON.stringify(text.slice(0, 60))}; there are ${WEIGHT_FORMATS}.`)
  }
  const all = (t: WeightType): Record<PartRole, WeightType> => {
    return { lookup: t, output: t, matrix: t, latentUp: t, expert: t, router: t, vector: t }
  }
  // As published: DeepSeek-V3 keeps embedding, head, routers and norms in bf16; gpt-oss everything but experts.
  if (type === 'e4m3') {
    return { name: 'fp8', types: { ...all('bf16'), matrix: type, latentUp: type, expert: type }, scaleBlock: 128 }
  }
  if (type === 'mxfp4') return { name: type, types: { ...all('bf16'), expert: type }, scaleBlock: 0 }
  // As llama-quantize --pure writes them.
  if (isBlockType(type)) {
    return { name: type, types: { ...all(type), router: 'f32', vector: 'f32' }, scaleBlock: 0 }
  }
  return { name: type, types: all(type), scaleBlock: 0 }
}

/** One tensor's bytes. */
export function tensorBytes({ role, rows, cols }: WeightPart, format: WeightFormat): number {
  const type = fitting(format.types[role], cols)
  const { elements, bytes } = WEIGHT_TYPES[type]
  const scales =
    type === 'e4m3' && format.scaleBlock > 0
      ? 4 * Math.ceil(rows / format.scaleBlock) * Math.ceil(cols / format.scaleBlock)
      : 0
  return rows * (cols / elements) * bytes + scales
}
