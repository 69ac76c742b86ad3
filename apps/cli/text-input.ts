/** Texts that a user names: files, pipes and standard input, read with a bound in bytes and in silence. */
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError, UsageError } from './exit.ts'

/** More than any prompt or test text; what is longer has no end, or would not fit into memory with its tokens. */
export const MAX_BYTES = 64 << 20
/** Time without data after which a named pipe counts as having no writer. */
const PATIENCE_MS = 5000
const PIECE = 1 << 16

/**
 * The bytes of a text file or a named pipe. Folders, devices and sockets are refused before anything is read.
 * Throws UsageError for what cannot be such a file, CliError for a text that is not there, is too long or does not come.
 */
export async function readTextFile(path: string): Promise<Uint8Array> {
  const info = await stat(path).catch((error: unknown) => unreadable(path, error))
  if (info.isDirectory()) throw new UsageError(`${path} is a folder; expected a text file`)
  if (!info.isFile() && !info.isFIFO()) {
    throw new UsageError(`${path} is a ${info.isSocket() ? 'socket' : 'device'}; expected a text file`)
  }
  if (info.size > MAX_BYTES) tooLong(path, ` has ${info.size.toLocaleString('en-GB')} bytes`)
  // A blocking open() of a pipe waits for its writer, and nothing can call it off.
  const file = await open(path, info.isFIFO() ? constants.O_RDONLY | constants.O_NONBLOCK : 'r').catch(
    (error: unknown) => unreadable(path, error),
  )
  try {
    return await (info.isFIFO() ? readPipe(file, path) : readToEnd(file, path))
  } catch (error) {
    if (error instanceof CliError) throw error
    return unreadable(path, error)
  } finally {
    await file.close()
  }
}

/** Throws the error for a text that goes beyond the bound. */
export function tooLong(what: string, met = ' goes on and on'): never {
  throw new CliError(
    `${what}${met}; expected a text of at most ${MAX_BYTES.toLocaleString('en-GB')} bytes: take a part of it, as with head -c`,
  )
}

async function readToEnd(file: FileHandle, path: string): Promise<Uint8Array> {
  const parts = new Parts(path)
  // To the end, whatever stat said: files grow, and those of /proc have a size of 0.
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE)
    const { bytesRead } = await file.read(piece, 0, PIECE, null)
    if (bytesRead === 0) return parts.whole()
    parts.add(piece.subarray(0, bytesRead))
  }
}

/** Without blocking: EAGAIN is a writer that says nothing, no bytes are a writer that is gone or has not come yet. */
async function readPipe(file: FileHandle, path: string): Promise<Uint8Array> {
  const parts = new Parts(path)
  let [quiet, written] = [0, false]
  while (quiet < PATIENCE_MS) {
    const piece = Buffer.allocUnsafe(PIECE)
    const bytes = await file.read(piece, 0, PIECE, null).then(
      ({ bytesRead }) => bytesRead,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EAGAIN') return null
        throw error
      },
    )
    if (bytes === 0 && written) return parts.whole()
    if (bytes) parts.add(piece.subarray(0, bytes))
    if (bytes === null || bytes > 0) written = true
    quiet = bytes ? 0 : quiet + 20
    if (!bytes) await sleep(20)
  }
  throw new CliError(
    `${path} is a pipe that ${written ? 'nobody closes' : 'nobody writes to'}: nothing came for ${PATIENCE_MS / 1000} s; expected a text that ends`,
  )
}

/** What has come so far, up to the bound. */
export class Parts {
  readonly #what: string
  readonly #parts: Uint8Array[] = []
  #bytes = 0

  constructor(what: string) {
    this.#what = what
  }

  add(part: Uint8Array): void {
    this.#bytes += part.length
    if (this.#bytes > MAX_BYTES) tooLong(this.#what)
    this.#parts.push(part)
  }

  whole(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

/** Throws the error of a file that cannot be read. */
export function unreadable(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    ELOOP: 'its links go round in a circle',
  }
  throw new CliError(`${path} cannot be read: ${reasons[code ?? ''] ?? message}`)
}
