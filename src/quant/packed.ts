/** How the C++ core holds quantised matrices in memory: the file's codes and scales in tiles of 16 rows. */
import type { BlockType } from '../tensor/dtype.ts'

/** Rows of a tile, and columns of a step in it. */
export const TILE_ROWS = 16
const STEP = 32

/** Bytes of a line of the processor's caches: a block's scales are whole ones. */
const LINE = 64

interface Layout {
  readonly steps: number
  readonly codes: number
  readonly scales: number
}

/**
 * Block types whose products are computed on their codes. A block of 16 rows as native/ops/quant/formats.h lays it out: steps
 * of 32 columns, bytes of a step's codes, and bytes of the block's scales. A super-block's scales of 6 or 4 bits take whole
 * bytes there.
 */
const LAYOUTS = {
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
} as const satisfies Partial<Readonly<Record<BlockType, Layout>>>

export type PackedType = keyof typeof LAYOUTS

/** In the order of their numbers in the core, which the table of operations takes from here. */
export const PACKED_TYPES = Object.keys(LAYOUTS) as readonly PackedType[]

export function isPackedType(type: string): type is PackedType {
  return Object.hasOwn(LAYOUTS, type)
}

/** Bytes of a matrix in tiles of 16 rows, for plans: what is allocated the core says itself, and a test compares the two. */
export function packedBytes(type: PackedType, rows: number, cols: number): number {
  const { steps, codes, scales } = LAYOUTS[type]
  const block = Math.ceil(scales / LINE) * LINE + steps * codes
  return Math.ceil(rows / TILE_ROWS) * Math.ceil(cols / STEP / steps) * block
}
