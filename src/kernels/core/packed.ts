import { PACKED_TYPES, type PackedType, TILE_ROWS } from '../../quant/packed.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import type { WeightSource } from '../contract/weights.ts'
import { CommandList } from './command-list.ts'
import type { CoreMemory } from './memory.ts'
import { PIECE, readPiece } from './read-piece.ts'

/** In the order of `Dtype` in native/core/base.h. */
export const PACKED_CODES = Object.fromEntries(PACKED_TYPES.map((type, i) => [type, 7 + i])) as Readonly<
  Record<PackedType, number>
>

/** A matrix of blocks, a few tiles at a time, into tiles at `to`, which holds zeros. */
export async function packBlocks(
  memory: CoreMemory,
  to: number,
  source: WeightSource,
  type: PackedType,
): Promise<void> {
  const { name, rows, cols, bytes } = source
  const rowBytes = weightBytes(type, 1, cols)
  const step = Math.max(1, Math.floor(PIECE / (rowBytes * TILE_ROWS))) * TILE_ROWS
  const mapped = memory.mapped(bytes, 1)
  const piece = mapped === null ? memory.alloc('u8', [Math.min(step, rows) * rowBytes]) : null
  try {
    for (let row = 0; row < rows; row += step) {
      const [from, length] = [row * rowBytes, Math.min(step, rows - row) * rowBytes]
      if (piece) memory.host.write(piece.address, await readPiece(bytes, from, length, name))
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
    if (!piece) memory.expectUnchanged(bytes)
  } finally {
    if (piece) memory.free(piece)
  }
}
