import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { beginPartial, endPartial } from '../files/partial-files.ts'
import { reserve } from '../files/reserve.ts'
import { fileTarget } from '../files/target.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import { weightBytes } from '../tensor/dtype.ts'
import { ConversionError } from './errors.ts'

/** Of a matrix, at a time: its numbers as f32 may be several times as much. */
const PIECE = 4 << 20

export interface OutputOptions {
  /** After every piece: the tensor, and bytes written since the last call. */
  readonly onWrite?: (tensor: string, bytes: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * A file that is written from beginning to end, under a name of its own beside its place; it takes its place only when
 * it is whole and on the disk. Until `finish` nothing that was there before is touched, and `discard` leaves no trace; nor does a
 * process that is ended by a signal. A link in its place is followed.
 */
export class Output {
  readonly path: string
  readonly #target: string
  readonly #partial: string
  readonly #file: FileHandle
  readonly #options: OutputOptions
  #position = 0
  #closed = false

  private constructor(path: string, target: string, partial: string, file: FileHandle, options: OutputOptions) {
    this.path = path
    this.#target = target
    this.#partial = partial
    this.#file = file
    this.#options = options
  }

  /** Throws ConversionError where a file cannot be made. */
  static async open(path: string, options: OutputOptions = {}): Promise<Output> {
    try {
      const target = await fileTarget(path)
      const partial = partialOf(target)
      beginPartial(partial)
      try {
        return new Output(path, target, partial, await open(partial, 'wx'), options)
      } catch (error) {
        endPartial(partial)
        throw error
      }
    } catch (error) {
      throw writeError(path, error)
    }
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#position
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#options.signal?.throwIfAborted()
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done)
        done += bytesWritten
      }
    } catch (error) {
      throw writeError(this.path, error)
    }
    this.#position += bytes.length
  }

  /** A few rows at a time. */
  async writeMatrix(tensor: string, { dtype, rows, cols, bytes }: WeightSource): Promise<void> {
    const rowBytes = weightBytes(dtype, 1, cols)
    const step = rowBytes * Math.max(1, Math.floor(PIECE / cols))
    const end = rows * rowBytes
    for (let at = 0; at < end; at += step) {
      const piece = await bytes.source.read(bytes.offset + at, Math.min(step, end - at))
      await this.write(piece)
      this.#options.onWrite?.(tensor, piece.length)
    }
  }

  /** Waits for the disk, then takes the place that the file is meant for. */
  async finish(): Promise<void> {
    try {
      await this.#file.sync()
      await this.#close()
      await rename(this.#partial, this.#target)
      endPartial(this.#partial)
    } catch (error) {
      throw writeError(this.path, error)
    }
  }

  async discard(): Promise<void> {
    await this.#close()
    await rm(this.#partial, { force: true })
    endPartial(this.#partial)
  }

  async #close(): Promise<void> {
    if (!this.#closed) await this.#file.close()
    this.#closed = true
  }
}

/** Writes a file, whole or not at all. */
export async function writeWhole(
  path: string,
  write: (output: Output) => Promise<void>,
  options?: OutputOptions,
): Promise<void> {
  const output = await Output.open(path, options)
  try {
    await write(output)
    await output.finish()
  } catch (error) {
    await output.discard()
    throw error
  }
}

/** Where something is written before it takes its place. */
export function partialOf(path: string): string {
  return `${path}.${randomUUID().slice(0, 8)}.partial`
}

/** Runs `work` while nobody else writes to `path`. Throws ConversionError (`in_use`) where somebody does. */
export async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  const release = await reserve(path).catch((error: unknown) => {
    throw writeError(path, error)
  })
  if (!release) {
    throw new ConversionError(
      'in_use',
      `Another conversion writes to ${path} now; wait for its end or give another place`,
    )
  }
  try {
    return await work()
  } finally {
    await release()
  }
}

/** Throws ConversionError before anything is written that the disk has no room for. */
export async function checkRoom(path: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path)).catch((error: unknown) => {
    throw writeError(path, error)
  })
  const free = bavail * bsize
  if (needed <= free) return
  throw new ConversionError('disk_full', `${path} takes ${needed} bytes, but its disk has room for ${free}`)
}

export function writeError(path: string, error: unknown): ConversionError {
  const code = (error as NodeJS.ErrnoException).code
  const reason =
    code === 'ENOSPC'
      ? 'the disk is full'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'permission denied'
        : code === 'ENOENT'
          ? 'there is no such folder'
          : (error as Error).message
  const kind = code === 'ENOSPC' ? 'disk_full' : 'not_writable'
  return new ConversionError(kind, `${path} cannot be written: ${reason}`, { cause: error })
}
