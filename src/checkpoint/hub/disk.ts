import { copyFile, link, rename, rm, stat, statfs, symlink } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { makeFolder } from '../../files/make-folder.ts'
import { HubError } from './hub-error.ts'

/** Bytes of a file; undefined when it is not there. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size
}

/** Throws HubError before a download starts that cannot end well. File systems that do not tell are believed. */
export async function checkSpace(folder: string, needed: number): Promise<void> {
  const info = await statfs(folder).catch(() => undefined)
  if (info === undefined || info.bsize === 0) return
  const free = info.bavail * info.bsize
  if (needed > free) {
    const numbers = `${gigabytes(needed)} are to come and ${gigabytes(free)} are free`
    throw new HubError('disk_full', `${folder}: ${numbers}; make room or choose another cache folder (HF_HUB_CACHE)`)
  }
}

/** Makes a file of the cache appear under its name in a snapshot: by a relative link, else a hard link, else a copy. */
export async function linkBlob(blob: string, pointer: string): Promise<void> {
  await makeFolder(dirname(pointer))
  const made = `${pointer}.${process.pid}.new`
  await rm(made, { force: true })
  // Windows without developer mode has no symbolic links, some file systems have no links at all.
  await symlink(relative(dirname(pointer), blob), made)
    .catch(() => link(blob, made))
    .catch(() => copyFile(blob, made))
  await rename(made, pointer)
  // Renaming one hard link of a file to another does nothing and leaves both.
  await rm(made, { force: true })
}

/** Of folders and files that are there and cannot take ours; under /proc and the like making a folder says ENOENT. */
const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EIO', 'ENXIO'])

/** What the system says when it does not let us write, in the words of a user. */
export function diskError(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const todo = 'make room and try again: what has come is kept'
    return new HubError('disk_full', `${path} cannot be written: the disk is full; ${todo}`, { cause: error })
  }
  if (NOT_WRITABLE.has(code ?? '') || (code === 'ENOENT' && syscall === 'mkdir')) {
    const todo = 'choose another cache folder (HF_HUB_CACHE)'
    return new HubError('cache_not_writable', `${path} cannot be written (${code}); ${todo}`, { cause: error })
  }
  return error
}

function gigabytes(bytes: number): string {
  return bytes < 1e6 ? `${bytes} bytes` : `${(bytes / 1e9).toFixed(3)} GB`
}
