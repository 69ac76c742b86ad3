import { once } from 'node:events'
import { shownSafely } from './shown-safely.ts'

/** A reader that has seen enough (`| head`) is no error: the program ends without a word. */
export function endQuietlyOnClosedPipe(): void {
  const closed = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  }
  process.stdout.on('error', closed)
  process.stderr.on('error', closed)
}

/** Writes an answer, no faster than it is read. */
export async function write(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain')
}

export async function writeJson(value: unknown): Promise<void> {
  await write(`${JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined)}\n`)
}

/** Tables and reports, which show names and texts of files. */
export async function writeView(text: string): Promise<void> {
  await write(`${shownSafely(text, process.stdout)}\n`)
}

/** Everything that is not the answer. */
export function note(text: string): void {
  process.stderr.write(`${shownSafely(text, process.stderr)}\n`)
}
