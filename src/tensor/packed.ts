/** How the C++ core holds quantised matrices in memory: the file's codes and scales in tiles of 16 rows. */
import { BLOCK_TYPES, type BlockType } from './dtype.ts'

/** Block types whose products are computed on their codes, in the order of their codes in the core. */
export const PACKED_TYPES = [
  ...['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl', 'iq4_xs', 'mxfp4'],
] as const satisfies readonly BlockType[]

export type PackedType = (typeof PACKED_TYPES)[number]

export function isPackedType(type: string): type is PackedType {
  return (PACKED_TYPES as readonly string[]).includes(type)
}

/** Rows of a tile. */
export const TILE_ROWS = 16

/**
 * Bytes of 16 rows for each step of 32 columns and for each block of scales, as native/ops/packed/formats.inc lays them
 * out: a super-block's scales of 6 or 4 bits take whole bytes there.
 */
const LAYOUTS: Readonly<Record<PackedType, { readonly codes: number; readonly scales: number }>> = {
  q8_0: { codes: 512, scales: 32 },
  q4_0: { codes: 256, scales: 32 },
  q4_1: { codes: 256, scales: 64 },
  q5_0: { codes: 320, scales: 32 },
  q5_1: { codes: 320, scales: 64 },
  q2_k: { codes: 128, scales: 64 + 16 * 16 },
  q3_k: { codes: 192, scales: 32 + 16 * 16 },
  q4_k: { codes: 256, scales: 64 + 8 * 32 },
  q5_k: { codes: 320, scales: 64 + 8 * 32 },
  q6_k: { codes: 384, scales: 32 + 16 * 16 },
  iq4_nl: { codes: 256, scales: 32 },
  iq4_xs: { codes: 256, scales: 32 + 8 * 16 },
  mxfp4: { codes: 256, scales: 16 },
}

/** Bytes of a matrix in tiles of 16 rows. */
export function packedBytes(type: PackedType, rows: number, cols: number): number {
  const { codes, scales } = LAYOUTS[type]
  const tile = (cols / 32) * codes + (cols / BLOCK_TYPES[type].elements) * scales
  return Math.ceil(rows / TILE_ROWS) * Math.ceil(tile / 64) * 64
}
