import { printable } from '../../../src/for-apps.ts'
import { EXIT, OutputError } from '../exit.ts'
import { shownSafely } from './shown-safely.ts'
import { wrapped } from './table.ts'

/**
 * Handles output streams that fail. A closed pipe (`| head`) is not an error: the program ends silently. Any other error
 * of standard output is thrown by the next write, or by `outputFailure`. Errors of standard error are ignored: they cannot
 * be reported, and the answer does not depend on them.
 */
export function watchOutputs(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
  })
  process.stderr.on('error', () => {})
}

/** The error of standard output, or null. Waits for earlier writes. */
export async function outputFailure(): Promise<OutputError | null> {
  return writeRaw('').then(
    () => null,
    error => error,
  )
}

/** Writes an answer and waits until the reader has room for more. Throws OutputError. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (text.length > 0) await writeRaw(text)
}

/** A model's text without terminal control sequences. */
export function answerText(text: string): string {
  return process.stdout.isTTY ? printable(text, { lines: true }) : text
}

export async function writeJson(value: unknown): Promise<void> {
  const text = JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined)
  await write(`${answerText(text)}\n`)
}

/** Writes a table or report, which may contain names and texts from files. */
export async function writeView(text: string): Promise<void> {
  await write(`${shownSafely(text, process.stdout)}\n`)
}

/** Writes a remark to stderr, wrapped between words on a terminal. */
export function note(text: string): void {
  const { isTTY, columns } = process.stderr
  const safe = shownSafely(text, process.stderr)
  process.stderr.write(`${isTTY && columns > 0 ? wrapped(safe, columns) : safe}\n`)
}

function writeRaw(text: string | Uint8Array): Promise<void> {
  const { stdout } = process
  return new Promise((resolve, reject) => {
    stdout.write(text, error => {
      const cause = stdout.errored ?? error
      if (cause) reject(new OutputError(`standard output cannot be written: ${cause.message}`, { cause }))
      else resolve()
    })
  })
}
