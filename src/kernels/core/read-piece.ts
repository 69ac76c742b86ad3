import { CheckpointError } from '../../errors.ts'
import type { ByteRange } from '../../tensor/bytes.ts'

/** Bytes of a source copied, decoded or packed at a time. */
export const PIECE = 8 << 20

/** `length` bytes of a range, `from` bytes into it. Throws CheckpointError where the source ends before. */
export async function readPiece(
  { source, offset }: ByteRange,
  from: number,
  length: number,
  tensor: string,
): Promise<Uint8Array> {
  const bytes = await source.read(offset + from, length)
  if (bytes.length === length) return bytes
  throw new CheckpointError(
    `${source.name} gave ${bytes.length} of the ${length} bytes at ${offset + from} (${tensor}).`,
  )
}
