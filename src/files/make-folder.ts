import * as nodeFs from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Nobody but the user may look into it. */
export const PRIVATE_FOLDER = 0o700
export const PRIVATE_FILE = 0o600

/**
 * Makes a folder and those above it that are not there; gives the first one that was made, undefined if all were there.
 * Throws what the file system does. (Node's own way, `recursive`, never ends where a folder that is there lets none be made in it, such as
 * /proc: it goes up, finds the folder above, and tries again.)
 */
export async function makeFolder(
  path: string,
  { mode = 0o777, fs = nodeFs }: { readonly mode?: number; readonly fs?: Pick<typeof nodeFs, 'mkdir' | 'stat'> } = {},
): Promise<string | undefined> {
  const missing: string[] = []
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const there = await fs.stat(folder).catch((error: NodeJS.ErrnoException) => error)
    if (!(there instanceof Error)) {
      if (!there.isDirectory()) throw failure(folder, 'ENOTDIR', 'a file is in its place')
      break
    }
    if (there.code !== 'ENOENT' || dirname(folder) === folder) throw there
    missing.push(folder)
  }
  let first: string | undefined
  for (const folder of missing.reverse()) {
    try {
      await fs.mkdir(folder, { mode })
      first ??= folder
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Another was quicker; what it made is looked at when something is made in it.
      if (code === 'EEXIST') continue
      if (code === 'ENOENT') throw failure(folder, code, 'no folder can be made there')
      throw error
    }
  }
  return first
}

function failure(path: string, code: string, why: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${why}, mkdir '${path}'`), { code, path, syscall: 'mkdir' })
}
