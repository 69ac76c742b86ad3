import { CheckpointError } from '../../errors.ts'
import { BLOCK_TYPES, type BlockType, weightBytes } from '../../tensor/dtype.ts'
import type { WeightSource } from '../contract.ts'
import { CommandList } from './command-list.ts'
import type { CoreMemory } from './memory.ts'

/** Block types whose products are computed on their codes, in the order of `Dtype` in native/core/base.h. */
const PACKED_TYPES = [
  ...['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl', 'iq4_xs', 'mxfp4'],
] as const satisfies readonly BlockType[]

export type PackedType = (typeof PACKED_TYPES)[number]

export function isPackedType(type: string): type is PackedType {
  return (PACKED_TYPES as readonly string[]).includes(type)
}

/** In the order of `Dtype` in native/core/base.h. */
export const PACKED_CODES = Object.fromEntries(PACKED_TYPES.map((type, i) => [type, 7 + i])) as Readonly<
  Record<PackedType, number>
>

const TILE_ROWS = 16

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

/** Bytes packed at a time. */
const PIECE = 8 << 20

/** A matrix of blocks, a few tiles at a time, into tiles at `to`, which holds zeros. */
export async function packBlocks(
  memory: CoreMemory,
  to: number,
  source: WeightSource,
  type: PackedType,
): Promise<void> {
  const { rows, cols, bytes } = source
  const rowBytes = weightBytes(type, 1, cols)
  const step = Math.max(1, Math.floor(PIECE / (rowBytes * TILE_ROWS))) * TILE_ROWS
  const mapped = memory.mapped(bytes, 1)
  const piece = mapped === null ? memory.alloc('u8', [Math.min(step, rows) * rowBytes]) : null
  try {
    for (let row = 0; row < rows; row += step) {
      const [from, length] = [row * rowBytes, Math.min(step, rows - row) * rowBytes]
      if (piece) memory.host.write(piece.address, await readPiece(source, from, length))
      const address = piece ? piece.address : (mapped as number) + from
      const list = new CommandList()
      list.begin('pack', (length / rowBytes) * cols)
      for (const field of [to, address, PACKED_CODES[type], rowBytes, cols, row / TILE_ROWS, length / rowBytes]) {
        list.put(field)
      }
      list.end()
      memory.run(list)
      // What is packed is not looked at again: the file shall not be in memory twice.
      if (!piece) memory.host.forget?.(address, length)
    }
  } finally {
    if (piece) memory.free(piece)
  }
}

async function readPiece({ name, bytes }: WeightSource, from: number, length: number): Promise<Uint8Array> {
  const { source, offset } = bytes
  const stored = await source.read(offset + from, length)
  if (stored.length === length) return stored
  throw new CheckpointError(
    `${source.name} gave ${stored.length} of the ${length} bytes at ${offset + from} (${name}).`,
  )
}
