/** The lines of a batch that are not blank, from a file that is read as it goes, or from what can be read only once. */
import { open, stat } from 'node:fs/promises'
import { readBytes } from '../stdin.ts'
import { readTextFile, unreadable } from '../text-input.ts'

export interface BatchLines extends AsyncIterable<string> {
  readonly total: number
}

/** `-` is standard input. Pipes and standard input are held in memory, up to the bound of texts. Throws CliError, UsageError. */
export async function batchLines(file: string): Promise<BatchLines> {
  if (file !== '-' && (await stat(file).catch((error: unknown) => unreadable(file, error))).isFile()) {
    let total = 0
    for await (const _ of linesOf(file)) total++
    return { total, [Symbol.asyncIterator]: () => linesOf(file) }
  }
  const bytes = await (file === '-' ? readBytes() : readTextFile(file))
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/).filter(isLine)
  return {
    total: lines.length,
    async *[Symbol.asyncIterator]() {
      yield* lines
    },
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const handle = await open(file).catch((error: unknown) => unreadable(file, error))
  let first = true
  for await (const line of handle.readLines()) {
    // Windows' editors begin a file with a byte order mark.
    const text = first ? line.replace(/^\ufeff/, '') : line
    first = false
    if (isLine(text)) yield text
  }
}

function isLine(line: string): boolean {
  return line.trim() !== ''
}
