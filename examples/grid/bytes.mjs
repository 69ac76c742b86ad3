/** Texts of people, byte by byte: windows of a file, of which the last tenth is not learned from. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const WINDOW = 128

/** `text(next)`: a window to learn from; `held(next)`: one of those that are not; `digest`: SHA-256 of the file. Throws RangeError for a file that is too short. */
export async function bytesOf(file) {
  const bytes = await readFile(file)
  const cut = Math.floor(0.9 * bytes.length)
  if (bytes.length - cut < 2 * WINDOW) {
    throw new RangeError(`${file} has ${bytes.length} bytes; expected at least ${20 * WINDOW}`)
  }
  const window = start => ({ ids: [...bytes.subarray(start, start + WINDOW)], answers: [] })
  return {
    words: 256,
    digest: createHash('sha256').update(bytes).digest('hex'),
    text: next => window(next(cut - WINDOW)),
    held: next => window(cut + next(bytes.length - cut - WINDOW)),
  }
}
