import { CheckpointError } from '../../errors.ts'
import { BLOCK_TYPES, type BlockType, weightBytes } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
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

/** Bytes read from a source at a time. */
const PIECE = 8 << 20

/** Reads a matrix of blocks, a few tiles at a time, into tiles at `to`, which holds zeros. */
export async function packBlocks(
  memory: CoreMemory,
  to: Tensor,
  { name, rows, cols, bytes }: WeightSource,
  type: PackedType,
): Promise<void> {
  const rowBytes = weightBytes(type, 1, cols)
  const step = Math.max(1, Math.floor(PIECE / (rowBytes * TILE_ROWS))) * TILE_ROWS
  const piece = memory.alloc('u8', [Math.min(step, rows) * rowBytes])
  try {
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row)
      const length = count * rowBytes
      const stored = await bytes.source.read(bytes.offset + row * rowBytes, length)
      if (stored.length !== length) {
        throw new CheckpointError(
          `${bytes.source.name} gave ${stored.length} of the ${length} bytes at ${bytes.offset + row * rowBytes} (${name}).`,
        )
      }
      memory.host.write(piece.address, stored)
      const list = new CommandList()
      list.begin('pack', count * cols)
      for (const field of [to.address, piece.address, PACKED_CODES[type], rowBytes, cols, row / TILE_ROWS, count]) {
        list.put(field)
      }
      list.end()
      memory.run(list)
    }
  } finally {
    memory.free(piece)
  }
}
