/** Texts of people, byte by byte: windows of a file, of which the last tenth is not learned from. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** `window`: bytes of one. `text(next)`: a window to learn from; `held(next)`: one of those that are not; `digest`: SHA-256 of the file. Throws RangeError for a file that is too short. */
export async function bytesOf(file, window) {
  const bytes = await readFile(file)
  const cut = Math.floor(0.9 * bytes.length)
  if (bytes.length - cut < 2 * window) {
    throw new RangeError(`${file} has ${bytes.length} bytes; expected at least ${20 * window}`)
  }
  const cutAt = start => ({ ids: [...bytes.subarray(start, start + window)], answers: [] })
  return {
    words: 256,
    digest: createHash('sha256').update(bytes).digest('hex'),
    text: next => cutAt(next(cut - window)),
    held: next => cutAt(cut + next(bytes.length - cut - window)),
  }
}
