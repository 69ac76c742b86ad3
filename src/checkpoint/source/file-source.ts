import type { FileHandle } from 'node:fs/promises'
import { open, readlink, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { CheckpointError, ModelFileChangedError } from '../../errors.ts'
import type { ByteSource } from '../../tensor/bytes.ts'

/** Bytes per read call: Linux transfers at most 2 GiB - 4 KiB in one. */
const CHUNK = 1 << 30

/**
 * A file on disk. Each read opens and closes it, so there is nothing to dispose of, and a checkpoint of 160 shards holds
 * no file descriptors. The native kernels map `path` instead.
 *
 * Throws CheckpointError when the path is missing, unreadable or not a regular file (a pipe would hang the reader).
 */
export async function openFile(path: string): Promise<ByteSource> {
  const info = await stat(path, { bigint: true }).catch(async (error: unknown) => {
    // The hub cache holds links to blobs, and someone may have removed a blob.
    const target = isMissing(error) ? await readlink(path).catch(() => undefined) : undefined
    const met = target === undefined ? reason(error) : `it is a link to ${target}, which is not there`
    throw new CheckpointError(`${path} cannot be read: ${met}`, { cause: error })
  })
  if (!info.isFile()) throw new CheckpointError(`${path} is not a regular file; expected a file of the checkpoint`)
  return new FileSource(path, Number(info.size), info.mtimeNs)
}

class FileSource implements ByteSource {
  readonly path: string
  readonly name: string
  readonly size: number
  readonly modified: bigint

  constructor(path: string, size: number, modified: bigint) {
    this.path = path
    this.name = basename(path)
    this.size = size
    this.modified = modified
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    checkRange(this, offset, length)
    let file: FileHandle | undefined
    try {
      file = await open(this.path, 'r')
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, Math.min(CHUNK, length - done), offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      // Checked after reading, so that a write before or during the read is noticed.
      const { size, mtimeNs } = await file.stat({ bigint: true })
      if (done < length || Number(size) !== this.size || mtimeNs !== this.modified) throw this.#changed(size)
      return bytes
    } catch (error) {
      if (error instanceof ModelFileChangedError) throw error
      throw new CheckpointError(`${this.path} cannot be read: ${reason(error)}`, { cause: error })
    } finally {
      await file?.close()
    }
  }

  #changed(size: bigint): ModelFileChangedError {
    const how = Number(size) === this.size ? 'was written to' : `had ${this.size} bytes and now has ${size}`
    return new ModelFileChangedError(
      `${this.path} has changed since it was opened (it ${how}). Leave the files of a model alone while they are read, and ` +
        'try again.',
    )
  }
}

/** Checked before anything is allocated. */
function checkRange(source: ByteSource, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0) {
    if (offset + length <= source.size) return
  }
  throw new CheckpointError(
    `${source.path}: bytes ${offset} to ${offset + length} were asked for; the file has ${source.size}`,
  )
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'ELOOP') return 'links go round in a circle (ELOOP)'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  return (error as Error).message
}
