import { createInterface } from 'node:readline/promises'
import { UsageError } from '../exit.ts'

/** Asks on the terminal; only `y` or `yes` is a yes. Throws UsageError where nobody can answer. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError(`${question} There is no terminal to ask on; give --yes`)
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const ended = new AbortController()
  asking.on('close', () => ended.abort())
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `, { signal: ended.signal })).trim())
  } catch {
    // Ctrl-C or Ctrl-D.
    return false
  } finally {
    asking.close()
  }
}
