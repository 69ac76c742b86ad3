import * as nodeFs from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Only the user may read it. */
export const PRIVATE_FOLDER = 0o700
export const PRIVATE_FILE = 0o600

/**
 * Creates a folder and its missing parents. Returns the topmost folder that it created, or undefined if all existed.
 * Throws file system errors. (Node's `recursive: true` never ends inside /proc: creation fails with ENOENT, the parent
 * exists, and Node tries again.)
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
      // Another process was faster. If it created a file, the next mkdir or write inside will fail.
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
