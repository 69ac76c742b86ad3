import { printable } from '../../../src/for-apps.ts'
import { EXIT, OutputError } from '../exit.ts'
import { shownSafely } from './shown-safely.ts'
import { wrapped } from './table.ts'

/**
 * What happens when a reader goes away or a disk is full. A reader that has seen enough (`| head`) is no error: the
 * program ends without a word. Any other error of standard output reaches whoever writes next, or `outputFailure`.
 * Where standard error cannot be written there is nobody to tell, and the answer does not depend on it.
 */
export function watchOutputs(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
  })
  process.stderr.on('error', () => {})
}

/** Why standard output could not be written; null while it can. Waits for what was written before. */
export async function outputFailure(): Promise<OutputError | null> {
  return writeRaw('').then(
    () => null,
    error => error,
  )
}

/** Writes an answer, no faster than it is read. Throws OutputError. */
export async function write(text: string): Promise<void> {
  if (text !== '') await writeRaw(text)
}

/** What a model says, as it may be written: none of it is a command to a terminal. */
export function answerText(text: string): string {
  return process.stdout.isTTY ? printable(text, { lines: true }) : text
}

export async function writeJson(value: unknown): Promise<void> {
  const text = JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined)
  await write(`${answerText(text)}\n`)
}

/** Tables and reports, which show names and texts of files. */
export async function writeView(text: string): Promise<void> {
  await write(`${shownSafely(text, process.stdout)}\n`)
}

/** Everything that is not the answer. On a terminal its lines end between words. */
export function note(text: string): void {
  const { isTTY, columns } = process.stderr
  const safe = shownSafely(text, process.stderr)
  process.stderr.write(`${isTTY && columns > 0 ? wrapped(safe, columns) : safe}\n`)
}

function writeRaw(text: string): Promise<void> {
  const { stdout } = process
  return new Promise((resolve, reject) => {
    stdout.write(text, error => {
      const cause = stdout.errored ?? error
      if (cause) reject(new OutputError(`standard output cannot be written: ${cause.message}`, { cause }))
      else resolve()
    })
  })
}
