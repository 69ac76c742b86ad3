import type { WeightRole } from '../../checkpoint/recode/weight-type.ts'
import { fitting } from '../../quant/fallback.ts'
import { type EncodableType, isEncodableType } from '../../quant/numbers.ts'
import { isBlockType, WEIGHT_TYPES, type WeightType } from '../../tensor/dtype.ts'

/**
 * The type of a matrix where nobody asked for one: what it has. FP8 with its factors becomes bf16, which loses none of
 * a code's digits; routers and positions are f32 in all of llama.cpp's files; blocks that had to be taken apart
 * (`whole` is false) are made again in what fits the new rows.
 */
export function keptType(stored: WeightType, role: WeightRole, cols: number, whole: boolean): WeightType {
  if (role === 'router' || role === 'positions') return 'f32'
  if (stored === 'e4m3') return 'bf16'
  if (role === 'small') return stored === 'bf16' ? 'bf16' : 'f32'
  if (!isBlockType(stored) || (whole && cols % WEIGHT_TYPES[stored].elements === 0)) return stored
  return fitting(isEncodableType(stored) ? stored : 'q8_0', cols)
}

interface Typed {
  readonly type: WeightType
  readonly shape: readonly number[]
}

/** Says which matrices have another type than was asked for, because their rows are no multiple of its blocks. */
export function fallbackWarnings(tensors: readonly Typed[], wanted: EncodableType | undefined): string[] {
  const block = wanted === undefined ? 1 : WEIGHT_TYPES[wanted].elements
  const others = tensors.filter(
    ({ type, shape }) => isBlockType(type) && type !== wanted && (shape.at(-1) ?? 0) % block !== 0,
  )
  if (wanted === undefined || others.length === 0) return []
  const rows = [...new Set(others.map(({ shape }) => shape.at(-1)))].sort((a, b) => (a ?? 0) - (b ?? 0))
  const count = (type: WeightType) => others.filter(other => other.type === type).length
  const became = [...new Set(others.map(({ type }) => type))].map(type => `${count(type)} ${type}`).join(', ')
  const matrices = tensors.filter(({ shape }) => shape.length > 1).length
  return [
    `${wanted} takes rows that are multiples of ${block}; of ${matrices} matrices ${others.length} have rows of ${rows.join(', ')} ` +
      `and became ${became}`,
  ]
}

/** `general.file_type`: what most of the matrices are. llama.cpp only shows it. */
const FILE_TYPES: Readonly<Partial<Record<WeightType, number>>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q4_1: 3,
  q8_0: 7,
  q5_0: 8,
  q5_1: 9,
  q2_k: 10,
  q3_k: 12,
  q4_k: 15,
  q5_k: 17,
  q6_k: 18,
  iq4_nl: 25,
  bf16: 32,
  tq1_0: 36,
  tq2_0: 37,
  mxfp4: 38,
  nvfp4: 39,
  q1_0: 40,
  q2_0: 41,
}
/** For types that no number stands for. */
const GUESSED = 1024

export function fileTypeOf(type: EncodableType | WeightType): number {
  return FILE_TYPES[type] ?? GUESSED
}
