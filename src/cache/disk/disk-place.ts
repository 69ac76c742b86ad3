/** A folder on disk for blocks. */
import * as nodeFs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder, PRIVATE_FILE, PRIVATE_FOLDER } from '../../files/make-folder.ts'
import { beginPartial, endPartial } from '../../files/partial-files.ts'
import type { BlockPlace, FileFacts } from '../stored/block-place.ts'

/** The file system calls that it needs; tests replace them. */
export type StoreFs = Pick<
  typeof nodeFs,
  'chmod' | 'mkdir' | 'open' | 'readdir' | 'readFile' | 'rename' | 'rm' | 'stat' | 'utimes'
>

/** Errors that will not pass by waiting: writing stops for good. */
const PERMANENT = new Set(['ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ELOOP', 'ENAMETOOLONG'])

/** Partial files of this process: no two have one name. */
let written = 0

export class DiskPlace implements BlockPlace {
  readonly #folder: string
  readonly #fs: StoreFs

  constructor(folder: string, fs: StoreFs = nodeFs) {
    this.#folder = folder
    this.#fs = fs
  }

  show(path: string): string {
    return join(this.#folder, path)
  }

  /** Blocks reveal the user's texts. Earlier versions created the folder readable by others: take that permission away. */
  async open(folder: string): Promise<void> {
    const path = this.show(folder)
    const { mode, uid } = await this.#fs.stat(path)
    if ((mode & 0o077) !== 0 && uid === process.getuid?.()) await this.#fs.chmod(path, PRIVATE_FOLDER)
  }

  async names(folder: string): Promise<readonly string[]> {
    return (await absent(this.#fs.readdir(this.show(folder)))) ?? []
  }

  async stat(path: string): Promise<FileFacts | null> {
    const stats = await absent(this.#fs.stat(this.show(path)))
    return stats?.isFile() ? { bytes: stats.size, usedAt: stats.mtimeMs } : null
  }

  read(path: string): Promise<Uint8Array | null> {
    return absent(this.#fs.readFile(this.show(path)))
  }

  /** Under another name first, then renamed. Nothing waits for the disk: after a loss of power a file may be incomplete. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const target = this.show(path)
    const part = `${target}.${process.pid}-${written++}.part`
    await makeFolder(dirname(target), { mode: PRIVATE_FOLDER, fs: this.#fs })
    beginPartial(part)
    try {
      const file = await this.#fs.open(part, 'wx', PRIVATE_FILE)
      try {
        await file.writeFile(bytes)
      } finally {
        await file.close()
      }
      await this.#fs.rename(part, target)
    } catch (error) {
      await this.#fs.rm(part, { force: true }).catch(() => {})
      throw error
    } finally {
      endPartial(part)
    }
  }

  async touch(path: string, time: number): Promise<void> {
    await this.#fs.utimes(this.show(path), time / 1000, time / 1000)
  }

  async remove(path: string): Promise<void> {
    await this.#fs.rm(this.show(path), { recursive: true, force: true })
  }

  /** Whether a folder can never be created or written. (One that was removed meanwhile can be created again.) */
  isPermanent(error: unknown): boolean {
    const { code, syscall } = error as NodeJS.ErrnoException
    return PERMANENT.has(code ?? '') || (code === 'ENOENT' && syscall === 'mkdir')
  }
}

/** What comes, or null where there is no such file. */
async function absent<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
