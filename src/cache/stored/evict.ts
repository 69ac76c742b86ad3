/** Which files of blocks go when a place is over its bound. */

import type { BlockPlace } from './block-place.ts'
import { bytesOf, listBlocks } from './list-blocks.ts'

/** A partial file of this age was left by a killed writer. */
const ABANDONED_MS = 3_600_000

/**
 * Makes room for `needed` bytes. Past the bound, removes the least recently used until a tenth of it is free; nothing where there
 * can be no room. Returns the bytes that remain and the bound, which the place may make smaller.
 */
export async function evictBlocks(
  place: BlockPlace,
  maxBytes: number,
  needed: number,
): Promise<{ readonly bytes: number; readonly maxBytes: number }> {
  const files = (await listBlocks(place)).sort((a, b) => a.usedAt - b.usedAt)
  let bytes = bytesOf(files)
  const most = Math.min(maxBytes, (await place.limit?.(bytes)) ?? maxBytes)
  if (needed > most) return { bytes, maxBytes: most }
  const wanted = bytes > most - needed ? 0.9 * (most - needed) : most - needed
  for (const file of files) {
    const abandoned = file.name === null && Date.now() - file.usedAt > ABANDONED_MS
    if (!abandoned && (file.name === null || bytes <= wanted)) continue
    await place.remove(file.path).catch(() => {})
    bytes -= file.bytes
  }
  return { bytes, maxBytes: most }
}
