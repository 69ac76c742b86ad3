import { randomUUID } from 'node:crypto'
import { copyFile, link, rename, rm, stat, statfs, symlink } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { makeFolder } from '../../files/make-folder.ts'
import { HubError } from './hub-error.ts'

/** A file's size in bytes; undefined if it does not exist. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size
}

/** Throws HubError if a download will not fit on the disk. Skipped for file systems that do not report free space. */
export async function checkSpace(folder: string, needed: number): Promise<void> {
  const info = await statfs(folder).catch(() => undefined)
  if (info === undefined || info.bsize === 0) return
  const free = info.bavail * info.bsize
  if (needed > free) {
    const numbers = `the download needs ${gigabytes(needed)}, but only ${gigabytes(free)} are free`
    throw new HubError('disk_full', `${folder}: ${numbers}; make room or choose another cache folder (HF_HUB_CACHE)`)
  }
}

/** Gives a blob its name in a snapshot: by a relative link, else a hard link, else a copy. */
export async function linkBlob(blob: string, pointer: string): Promise<void> {
  await makeFolder(dirname(pointer))
  const made = `${pointer}.${randomUUID()}.new`
  // Windows without developer mode has no symbolic links, some file systems have no links at all.
  await symlink(relative(dirname(pointer), blob), made)
    .catch(() => link(blob, made))
    .catch(() => copyFile(blob, made))
  await rename(made, pointer)
  // Renaming one hard link of a file to another does nothing and leaves both.
  await rm(made, { force: true })
}

/** Error codes of places that cannot be written. (Under /proc, mkdir fails with ENOENT: handled below.) */
const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EIO', 'ENXIO'])

/** Translates a failed write into a HubError with a remedy; other errors pass unchanged. */
export function diskError(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const todo = 'make room and try again: what was downloaded is kept'
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
