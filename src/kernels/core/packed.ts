import { type PackedType, TILE_ROWS } from '../../quant/packed.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import type { WeightSource } from '../contract/weights.ts'
import type { CoreMemory } from './memory.ts'
import { PIECE, readPiece } from './read-piece.ts'
import { Recorder } from './recorder.ts'

/** Bytes of a matrix in tiles, as the code says that will write them. */
export function packedSize(memory: CoreMemory, type: PackedType, rows: number, cols: number): number {
  const size = memory.alloc('f64', [1])
  const recorder = new Recorder(memory, true)
  recorder.packedSize(size, type, rows, cols)
  recorder.run()
  const bytes = memory.readNow(size)[0] as number
  memory.free(size)
  return bytes
}

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
      const recorder = new Recorder(memory, true)
      const [firstTile, packed] = [row / TILE_ROWS, length / rowBytes]
      recorder.pack({ to, from: address, dtype: type, rowBytes, cols, firstTile, rows: packed })
      recorder.run()
      // What is packed is not looked at again: the file shall not be in memory twice.
      if (!piece) memory.host.forget?.(address, length)
    }
    if (!piece) memory.expectUnchanged(bytes)
  } finally {
    if (piece) memory.free(piece)
  }
}
