/** How the C++ core holds quantised matrices in memory: the file's codes and scales in tiles of 16 rows. */
import type { BlockType } from '../tensor/dtype.ts'

/** Block types whose products are computed on their codes, in the order of their codes in the core. */
export const PACKED_TYPES = [
  ...['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl', 'iq4_xs', 'mxfp4'],
] as const satisfies readonly BlockType[]

export type PackedType = (typeof PACKED_TYPES)[number]

export function isPackedType(type: string): type is PackedType {
  return (PACKED_TYPES as readonly string[]).includes(type)
}

/** Rows of a tile, and columns of a step in it. */
export const TILE_ROWS = 16
const STEP = 32

/** Bytes of a line of the processor's caches: a block's scales are whole ones. */
const LINE = 64

/**
 * A block of 16 rows as native/ops/quant/formats.h lays it out: steps of 32 columns, bytes of a step's codes, and bytes
 * of the block's scales. A super-block's scales of 6 or 4 bits take whole bytes there.
 */
const LAYOUTS: Readonly<
  Record<PackedType, { readonly steps: number; readonly codes: number; readonly scales: number }>
> = {
  q8_0: { steps: 2, codes: 512, scales: 2 * 32 },
  q4_0: { steps: 2, codes: 256, scales: 2 * 32 },
  q4_1: { steps: 1, codes: 256, scales: 64 },
  q5_0: { steps: 2, codes: 320, scales: 2 * 32 },
  q5_1: { steps: 1, codes: 320, scales: 64 },
  q2_k: { steps: 8, codes: 128, scales: 64 + 16 * 16 },
  q3_k: { steps: 8, codes: 192, scales: 32 + 16 * 16 },
  q4_k: { steps: 8, codes: 256, scales: 64 + 8 * 32 },
  q5_k: { steps: 8, codes: 320, scales: 64 + 8 * 32 },
  q6_k: { steps: 8, codes: 384, scales: 32 + 16 * 16 },
  iq4_nl: { steps: 2, codes: 256, scales: 2 * 32 },
  iq4_xs: { steps: 8, codes: 256, scales: 32 + 8 * 16 },
  mxfp4: { steps: 4, codes: 256, scales: 4 * 16 },
}

/** Bytes of a matrix in tiles of 16 rows. */
export function packedBytes(type: PackedType, rows: number, cols: number): number {
  const { steps, codes, scales } = LAYOUTS[type]
  const block = Math.ceil(scales / LINE) * LINE + steps * codes
  return Math.ceil(rows / TILE_ROWS) * Math.ceil(cols / STEP / steps) * block
}
