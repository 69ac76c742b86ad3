/** Where the results of a batch go, one JSON line each: a file that a later run continues, or standard output. */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { CliError } from '../exit.ts'
import { write } from '../output/stdout.ts'

export interface Results {
  /** Ids of the results that an earlier run has written, in order. */
  readonly done: readonly unknown[]
  write(result: object): Promise<void>
  close(): void
}

/** Opens the file, takes a half-written last line off it, and continues after the others. Throws CliError. */
export function resultsIn(file: string | undefined): Results {
  if (file === undefined) {
    return { done: [], write: result => write(`${JSON.stringify(result)}\n`), close: () => {} }
  }
  try {
    const fd = openSync(file, 'a+')
    const bytes = readFileSync(fd)
    const whole = bytes.lastIndexOf(10) + 1
    const lines = bytes.subarray(0, whole).toString().split('\n').slice(0, -1)
    const done = lines.map((line, i) => idIn(line, `${file}:${i + 1}`))
    ftruncateSync(fd, whole)
    return {
      done,
      write: async result => {
        writeSync(fd, `${JSON.stringify(result)}\n`)
      },
      close: () => {
        fsyncSync(fd)
        closeSync(fd)
      },
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`the results cannot be written to ${file}: ${(error as Error).message}`, { cause: error })
  }
}

function idIn(line: string, place: string): unknown {
  try {
    const result: unknown = JSON.parse(line)
    if (typeof result === 'object' && result !== null && 'id' in result) return result.id
  } catch {}
  throw new CliError(`${place} is no result of a batch; give another --out`)
}
