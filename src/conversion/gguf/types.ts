import { fitting, type WeightRole } from '../../checkpoint/recode/weight-type.ts'
import { type EncodableType, isEncodableType } from '../../kernels/blocks/numbers.ts'
import { isBlockType, WEIGHT_TYPES, type WeightType } from '../../tensor/dtype.ts'

/**
 * The type of a matrix where nobody asked for one: what it has. FP8 with its factors becomes bf16, which loses none of
 * a code's digits; routers and positions are f32 in all of llama.cpp's files; blocks that had to be taken apart
 * (`whole` is false) are made again in what fits the new rows.
 */
export function keptType(stored: WeightType, role: WeightRole, cols: number, whole: boolean): WeightType {
  if (role === 'router' || role === 'positions') return 'f32'
  if (stored === 'e4m3') return 'bf16'
  if (!isBlockType(stored) || (whole && cols % WEIGHT_TYPES[stored].elements === 0)) return stored
  return fitting(isEncodableType(stored) ? stored : 'q8_0', cols)
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
  mxfp4: 38,
}
/** For types that no number stands for. */
const GUESSED = 1024

export function fileTypeOf(type: EncodableType | WeightType): number {
  return FILE_TYPES[type] ?? GUESSED
}
