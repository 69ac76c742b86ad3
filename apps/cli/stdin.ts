import { fstatSync } from 'node:fs'
import { CliError, UsageError } from './exit.ts'
import { note } from './output/stdout.ts'
import { Parts } from './text-input.ts'

/** How long an open pipe that nobody has asked for may stay silent before it counts as one that nobody writes to. */
const PATIENCE_MS = 3000
/** The same where standard input was asked for: another program may have to load first. */
const LONG_PATIENCE_MS = 60_000
const NAME = 'standard input'

/** Whether text may come from standard input: a pipe or a file, not a terminal and not /dev/null. */
export function isPiped(): boolean {
  if (process.stdin.isTTY) return false
  const stat = statOfStdin()
  return stat !== null && (stat.isFIFO() || stat.isFile() || stat.isSocket())
}

/** All of standard input, less the line break that `echo` adds. */
export async function readAll(): Promise<string> {
  return new TextDecoder().decode(await readBytes()).replace(/\r?\n$/, '')
}

/**
 * All of standard input as it is, up to the bound of texts. Throws UsageError where it is a folder, CliError where it
 * goes on and on, or where nothing comes for a minute.
 */
export async function readBytes(): Promise<Uint8Array> {
  refuseFolder()
  const { stdin } = process
  const parts = new Parts(NAME)
  let silent = false
  const stopped = () => {
    silent = true
    stdin.destroy()
  }
  const wait = () => (stdin.isTTY ? undefined : setTimeout(stopped, LONG_PATIENCE_MS))
  const hint = setTimeout(() => note(`waiting for ${NAME} …`), stdin.isTTY ? 2 ** 30 : PATIENCE_MS)
  let timer = wait()
  try {
    for await (const part of stdin) {
      clearTimeout(hint)
      clearTimeout(timer)
      parts.add(part as Buffer)
      timer = wait()
    }
  } catch (error) {
    if (!silent) throw error instanceof CliError ? error : unreadable(error)
  } finally {
    clearTimeout(hint)
    clearTimeout(timer)
  }
  if (silent)
    throw new CliError(`nothing came from ${NAME} for ${LONG_PATIENCE_MS / 1000} s; expected a text that ends`)
  return parts.whole()
}

/**
 * The same where nobody has said that there is something to read: programs that start others often leave them a pipe
 * that they never write to nor close. undefined when nothing comes in time.
 */
export async function readIfAny(): Promise<string | undefined> {
  const { stdin } = process
  const some = await new Promise<boolean>(resolve => {
    const answer = (any: boolean) => () => {
      clearTimeout(timer)
      stdin.off('readable', yes).off('end', yes)
      resolve(any)
    }
    const yes = answer(true)
    const timer = setTimeout(answer(false), PATIENCE_MS)
    stdin.on('readable', yes).on('end', yes)
  })
  if (some) return readAll()
  // An open pipe would keep the program from ending.
  stdin.destroy()
  return undefined
}

/** `command < folder`: Node takes it for an empty text. */
export function refuseFolder(): void {
  if (statOfStdin()?.isDirectory()) throw new UsageError(`${NAME} is a folder and cannot be read; expected a text`)
}

function statOfStdin() {
  try {
    return fstatSync(0)
  } catch {
    return null
  }
}

function unreadable(error: unknown): CliError {
  return new CliError(`${NAME} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
}
