import { fstatSync } from 'node:fs'

/** How long an open pipe may stay silent before it counts as one that nobody writes to. */
const PATIENCE_MS = 3000

/** Whether text may come from standard input: a pipe or a file, not a terminal and not /dev/null. */
export function isPiped(): boolean {
  if (process.stdin.isTTY) return false
  try {
    const stat = fstatSync(0)
    return stat.isFIFO() || stat.isFile() || stat.isSocket()
  } catch {
    return false
  }
}

/** All of standard input, less the line break that `echo` adds. */
export async function readAll(): Promise<string> {
  return new TextDecoder().decode(await readBytes()).replace(/\r?\n$/, '')
}

/** All of standard input as it is. */
export async function readBytes(): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts)
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
