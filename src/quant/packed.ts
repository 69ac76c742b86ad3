/** How the C++ core holds quantised matrices in memory: the file's codes and scales in tiles of 16 rows. */
import type { BlockType } from '../tensor/dtype.ts'

/** Rows of a tile, and columns of a step in it. */
export const TILE_ROWS = 16
const STEP = 32

/** Bytes of a line of the processor's caches: a block's scales are whole ones. */
const LINE = 64

/**
 * What a row's scales are: `halves` f16 per step (`andMins`: and f16 minimums), `exponents` a byte per step; of a super-block f16 and then
 * a byte per group (`superAndMins`: two bytes, `superAndNibbles`: both in one).
 */
type ScaleKind = 'halves' | 'halvesAndMins' | 'exponents' | 'superScales' | 'superAndMins' | 'superAndNibbles'

/** A code c stands for d (c - offset), or d c + m with minimums. */
interface Format {
  /** Bits of a code in the plane of low bits, and in that of high bits. */
  readonly low: 8 | 4 | 2
  readonly high: 0 | 1 | 2
  /** Columns that share d and m. */
  readonly group: 32 | 16
  readonly offset: number
  readonly scales: ScaleKind
  /** What codes stand for where they are no numbers themselves: a table of native/ops/quant/formats.h. */
  readonly table?: 'iq4' | 'e2m1'
}

/** Block types whose products are computed on their codes. `npm run build:records` writes the formats of C++ from here. */
const FORMATS = {
  q8_0: { low: 8, high: 0, group: 32, offset: 128, scales: 'halves' },
  q4_0: { low: 4, high: 0, group: 32, offset: 8, scales: 'halves' },
  q4_1: { low: 4, high: 0, group: 32, offset: 0, scales: 'halvesAndMins' },
  q5_0: { low: 4, high: 1, group: 32, offset: 16, scales: 'halves' },
  q5_1: { low: 4, high: 1, group: 32, offset: 0, scales: 'halvesAndMins' },
  q2_k: { low: 2, high: 0, group: 16, offset: 0, scales: 'superAndNibbles' },
  q3_k: { low: 2, high: 1, group: 16, offset: 4, scales: 'superScales' },
  q4_k: { low: 4, high: 0, group: 32, offset: 0, scales: 'superAndMins' },
  q5_k: { low: 4, high: 1, group: 32, offset: 0, scales: 'superAndMins' },
  q6_k: { low: 4, high: 2, group: 16, offset: 32, scales: 'superScales' },
  iq4_nl: { low: 4, high: 0, group: 32, offset: 128, scales: 'halves', table: 'iq4' },
  iq4_xs: { low: 4, high: 0, group: 32, offset: 128, scales: 'superScales', table: 'iq4' },
  mxfp4: { low: 4, high: 0, group: 32, offset: 12, scales: 'exponents', table: 'e2m1' },
  // Codes 0 and 2.
  q1_0: { low: 2, high: 0, group: 32, offset: 1, scales: 'halves' },
  q2_0: { low: 2, high: 0, group: 32, offset: 1, scales: 'halves' },
} as const satisfies Partial<Readonly<Record<BlockType, Format>>>

/** Steps of a block, and bytes of its scales: of all steps or of the super-block, and of each group of a super-block. */
const SCALES: Readonly<
  Record<ScaleKind, { readonly steps: number; readonly head: number; readonly perGroup: number }>
> = {
  halves: { steps: 2, head: 2 * 32, perGroup: 0 },
  halvesAndMins: { steps: 1, head: 64, perGroup: 0 },
  exponents: { steps: 4, head: 4 * 16, perGroup: 0 },
  superScales: { steps: 8, head: 32, perGroup: 16 },
  superAndMins: { steps: 8, head: 64, perGroup: 32 },
  superAndNibbles: { steps: 8, head: 64, perGroup: 16 },
}

export type PackedType = keyof typeof FORMATS

/** @public scripts/make-records.mjs writes C++ of it. */
export const PACKED_FORMATS: Readonly<Record<PackedType, Format>> = FORMATS

/** In the order of their numbers in the core, which the table of operations takes from here. */
export const PACKED_TYPES = Object.keys(FORMATS) as readonly PackedType[]

export function isPackedType(type: string): type is PackedType {
  return Object.hasOwn(FORMATS, type)
}

/** Bytes of a matrix in tiles of 16 rows, for plans: what is allocated the core says itself, and a test compares the two. */
export function packedBytes(type: PackedType, rows: number, cols: number): number {
  const { low, high, group, scales }: Format = FORMATS[type]
  const { steps, head, perGroup } = SCALES[scales]
  const codes = (TILE_ROWS * STEP * (low + high)) / 8
  const block = Math.ceil((head + (steps * STEP * perGroup) / group) / LINE) * LINE + steps * codes
  return Math.ceil(rows / TILE_ROWS) * Math.ceil(cols / STEP / steps) * block
}
