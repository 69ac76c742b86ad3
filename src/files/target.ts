import { lstat, readlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** As many as Linux follows. */
const MOST_LINKS = 40

/**
 * Where a file of this name is to be written: a link is followed, so that it stays and what it names is replaced, there or
 * not. Throws an Error that says what is in its place where that is no file: a device, a pipe, a socket or a folder is never
 * replaced.
 */
export async function fileTarget(path: string): Promise<string> {
  let target = resolve(path)
  for (let links = 0; ; links++) {
    const there = await lstat(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (there === null || there.isFile()) return target
    if (!there.isSymbolicLink()) throw new Error(`${target} is ${kindOf(there)}; only a file can be replaced`)
    if (links === MOST_LINKS) {
      throw Object.assign(new Error(`ELOOP: ${path} is a link that leads round in a circle`), { code: 'ELOOP' })
    }
    target = resolve(dirname(target), await readlink(target))
  }
}

function kindOf(there: Awaited<ReturnType<typeof lstat>>): string {
  if (there.isDirectory()) return 'a folder'
  if (there.isFIFO()) return 'a pipe'
  if (there.isSocket()) return 'a socket'
  return 'a device'
}
