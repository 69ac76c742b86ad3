import { lstat, readlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Linux's own limit. */
const MAX_LINKS = 40

/**
 * The path to write when a user names `path`. Links are followed, so that a link stays and its target is replaced, even
 * a target that does not exist yet. Throws an Error if a device, a pipe, a socket or a folder is there: only files are
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
    if (links === MAX_LINKS) {
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
