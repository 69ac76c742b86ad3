/** The calibration text: as much of a file as is tokenised, so that its size does not matter. */
import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bundledModel } from '../checkpoint/find/bundled-model.ts'
import { OptionError } from '../errors.ts'

/** The text of the package, for conversions that are given none: prose, plays, pages and code. */
export function packagedText(): string {
  return join(dirname(bundledModel()), 'calibration', 'text.txt')
}

/** The option that names a text. */
export type TextOption = 'calibrate' | 'healText'

/** Characters that are tokenised, for each token that is wanted. */
const CHARACTERS = 16
const PIECES = 64
/** Of a file that is larger than all of them together. */
const PIECE_BYTES = 1 << 20

/** Pieces from the whole length of a text that is longer than `tokens` need. Throws OptionError for a file that cannot be read as UTF-8. */
export async function calibrationText(path: string, tokens: number, option: TextOption = 'calibrate'): Promise<string> {
  const { size } = await stat(path).catch(error => unreadable(path, error, option))
  const text = size > PIECES * PIECE_BYTES ? await readPieces(path, size, option) : await readWhole(path, option)
  const most = tokens * CHARACTERS
  if (text.length <= most) return text
  const each = Math.floor(most / PIECES)
  return spread(text.length, each)
    .map(start => text.slice(start, start + each))
    .join('\n')
}

async function readWhole(path: string, option: TextOption): Promise<string> {
  const bytes = await readFile(path).catch(error => unreadable(path, error, option))
  return decoded(path, bytes, option)
}

async function readPieces(path: string, size: number, option: TextOption): Promise<string> {
  const file = await open(path).catch(error => unreadable(path, error, option))
  try {
    const texts: string[] = []
    for (const start of spread(size, PIECE_BYTES)) {
      const bytes = await readPiece(file, start).catch(error => unreadable(path, error, option))
      // Bytes of a character that begins before the piece.
      let skipped = 0
      while (start > 0 && skipped < 3 && ((bytes[skipped] as number) & 0xc0) === 0x80) skipped++
      texts.push(decoded(path, bytes.subarray(skipped), option))
    }
    return texts.join('\n')
  } finally {
    await file.close()
  }
}

async function readPiece(file: FileHandle, start: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(PIECE_BYTES)
  const { bytesRead } = await file.read(bytes, 0, PIECE_BYTES, start)
  return bytes.subarray(0, bytesRead)
}

/** Where each of the pieces of `each` begins in a length: the first at its beginning, the last at its end. */
function spread(length: number, each: number): number[] {
  return Array.from({ length: PIECES }, (_, i) => Math.floor((i * (length - each)) / (PIECES - 1)))
}

function decoded(path: string, bytes: Uint8Array, option: TextOption): string {
  try {
    // `stream`: the last character may be cut.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
  } catch {
    throw new OptionError(`${option} is ${path}, which is no UTF-8 text`)
  }
}

/** Always throws: OptionError. */
export function unreadable(path: string, error: NodeJS.ErrnoException, option: TextOption): never {
  throw new OptionError(`${option} is ${path}, which cannot be read (${error.code}); expected a text file`)
}
