import { BLOCK_TYPES, type BlockFormat, type BlockType, type WeightType } from '../../tensor/dtype.ts'

/** ggml's names, upper case. Types that latentkit does not compute with are known for their size only. */
export type GgmlType = Uppercase<BlockType> | 'F32' | 'F16' | 'BF16' | Foreign
type Foreign = 'F64' | 'I8' | 'I16' | 'I32' | 'I64'

/** By the number that stands in files. The gaps are types that were withdrawn or never stored. */
const IDS: Readonly<Record<number, GgmlType>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
  41: 'Q1_0',
  42: 'Q2_0',
}

const PLAIN: Readonly<Partial<Record<GgmlType, BlockFormat>>> = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  F64: { elements: 1, bytes: 8 },
  I8: { elements: 1, bytes: 1 },
  I16: { elements: 1, bytes: 2 },
  I32: { elements: 1, bytes: 4 },
  I64: { elements: 1, bytes: 8 },
}

export function ggmlTypeOf(id: number): GgmlType | undefined {
  return Object.hasOwn(IDS, id) ? IDS[id] : undefined
}

/** The number that stands in files for a weight type; undefined for types that GGUF does not have. */
export function ggmlIdOf(type: WeightType): number | undefined {
  const found = Object.entries(IDS).find(([, name]) => name.toLowerCase() === type)
  return found && Number(found[0])
}

export function ggmlFormat(type: GgmlType): BlockFormat {
  return PLAIN[type] ?? BLOCK_TYPES[type.toLowerCase() as BlockType]
}
