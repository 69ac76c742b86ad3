/** Where the results of a batch go, one JSON line each: a file that a later run continues, or standard output. */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, type Stats, statSync, writeSync } from 'node:fs'
import { reserve } from '../../../src/for-apps.ts'
import { CliError, UsageError } from '../exit.ts'
import { write } from '../output/stdout.ts'

export interface Results {
  /** Ids of the results that an earlier run has written, in order. */
  readonly done: readonly unknown[]
  /** How many of these are errors. */
  readonly failed: number
  write(result: object): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the file, takes a half-written last line off it, and continues after the others. Throws UsageError for a file that
 * cannot be one of results, CliError.
 */
export async function resultsIn(file: string | undefined, batch: string): Promise<Results> {
  if (file === undefined) {
    return { done: [], failed: 0, write: result => write(`${JSON.stringify(result)}\n`), close: async () => {} }
  }
  const there = statSync(file, { throwIfNoEntry: false })
  if (there && !there.isFile()) {
    throw new UsageError(`--out ${file} is not a file; without --out the results go to standard output`)
  }
  if (there && isSame(there, batch)) throw new UsageError(`--out ${file} is the batch itself; give another file`)
  try {
    const release = await reserve(file)
    if (release === null) throw new CliError(`another process writes ${file}; wait for it, or give another --out`)
    try {
      return continued(file, release)
    } catch (error) {
      await release()
      throw error
    }
  } catch (error) {
    throw unwritable(file, error)
  }
}

function continued(file: string, release: () => Promise<void>): Results {
  const fd = openSync(file, 'a+')
  const bytes = readFileSync(fd)
  const whole = bytes.lastIndexOf(10) + 1
  const lines = bytes.subarray(0, whole).toString().split('\n').slice(0, -1)
  const done = lines.map((line, i) => earlier(line, `${file}:${i + 1}`))
  ftruncateSync(fd, whole)
  return {
    done: done.map(({ id }) => id),
    failed: done.filter(result => 'error' in result).length,
    write: async result => {
      try {
        writeWhole(fd, `${JSON.stringify(result)}\n`)
      } catch (error) {
        throw unwritable(file, error)
      }
    },
    close: async () => {
      try {
        fsyncSync(fd)
      } finally {
        closeSync(fd)
        await release()
      }
    },
  }
}

/** A file system that is nearly full takes the beginning of a line, and its error comes with the rest. */
function writeWhole(fd: number, line: string): void {
  const bytes = Buffer.from(line)
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

function isSame({ dev, ino }: Stats, batch: string): boolean {
  const other = statSync(batch, { throwIfNoEntry: false })
  return other?.dev === dev && other.ino === ino
}

function earlier(line: string, place: string): { readonly id: unknown } {
  try {
    const result: unknown = JSON.parse(line)
    if (typeof result === 'object' && result !== null && 'id' in result) return result
  } catch {}
  throw new CliError(`${place} is no result of a batch; give another --out`)
}

function unwritable(file: string, error: unknown): CliError {
  if (error instanceof CliError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'its folder is not there',
    EACCES: 'permission denied',
    ENOSPC: 'the disk is full; make room and run the same command again',
  }
  return new CliError(`the results cannot be written to ${file}: ${reasons[code ?? ''] ?? message}`, { cause: error })
}
