/**
 * Blocks on disk, one file each, shared by all processes: `DIR/FINGERPRINT/xx/NAME.block`. A file appears under its name
 * whole or not at all (written under another name, then renamed), so no lock is needed, and a writer may be killed at any
 * time. Every read verifies the checksum. Any failure is a cache miss with a notice, never an error.
 */
import * as nodeFs from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolder, PRIVATE_FILE, PRIVATE_FOLDER } from '../../files/make-folder.ts'
import { beginPartial, endPartial } from '../../files/partial-files.ts'
import type { BlockFolder, BlockKey, BlockStorage, StoredBlock } from '../stored-block.ts'
import { blockName, decodeBlock, encodeBlock, idsName } from './block-file.ts'
import { LABEL_FILE, type StoreFs, trimBlocks } from './folder.ts'

export interface StoreOptions extends BlockFolder {
  /** Replaces the file system in tests. */
  readonly fs?: StoreFs
}

/** Pause after a failed write, so that a full disk is not tried again for every block. */
const PAUSE_MS = 30_000
/** Errors that will not pass by waiting: writing stops for good. */
const PERMANENT = new Set(['ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ELOOP', 'ENAMETOOLONG'])

export class BlockStore implements BlockStorage {
  readonly fingerprint: string
  readonly #options: StoreOptions
  readonly #fs: StoreFs
  readonly #folder: string
  /** Bytes in the whole folder when last counted; Infinity before the first count. `#uncounted`: written since. */
  #bytes = Number.POSITIVE_INFINITY
  #uncounted = 0
  #counting: Promise<void> | null = null
  #retryAt = 0
  #written = 0
  #madePrivate: Promise<void> | null = null
  readonly #reported = new Set<string>()

  constructor(options: StoreOptions) {
    this.fingerprint = options.fingerprint
    this.#options = options
    this.#fs = options.fs ?? nodeFs
    this.#folder = join(options.folder, options.fingerprint)
  }

  nameOf(key: BlockKey): string {
    return blockName(key)
  }

  async find(parent: string, ids: readonly number[]): Promise<string[]> {
    const start = idsName(parent, ids)
    await this.#makePrivate()
    try {
      const files = await this.#fs.readdir(join(this.#folder, start.slice(0, 2)))
      return files.filter(f => f.startsWith(start) && f.endsWith('.block')).map(f => f.slice(0, -'.block'.length))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') this.#notice(`blocks cannot be listed: ${reason(error)}`, `list ${code}`)
      return []
    }
  }

  /** A damaged file is removed. */
  async read(name: string): Promise<StoredBlock | null> {
    const path = this.#path(name)
    let file: Uint8Array
    try {
      file = await this.#fs.readFile(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#notice(`${path} cannot be read: ${reason(error)}`)
      return null
    }
    try {
      return decodeBlock(file, name)
    } catch (error) {
      this.#notice(`${path} is damaged (${reason(error)}); it was removed`)
      await this.#fs.rm(path, { force: true }).catch(() => {})
      return null
    }
  }

  /** Trimming removes the ends of texts first. */
  async touch(names: readonly string[]): Promise<void> {
    const now = Date.now()
    await Promise.all(
      names.map((name, i) => {
        const time = (now - i) / 1000
        return this.#fs.utimes(this.#path(name), time, time).catch(() => {})
      }),
    )
  }

  /** True once every process can read it. */
  async write(block: StoredBlock): Promise<boolean> {
    const name = blockName(block)
    const path = this.#path(name)
    if (Date.now() < this.#retryAt) return false
    const part = join(this.#folder, name.slice(0, 2), `${name}.${process.pid}-${this.#written++}.part`)
    try {
      if (await this.#fs.stat(path).catch(() => null)) return true
      const bytes = encodeBlock(block)
      await this.#makeRoom(bytes.length)
      await this.#makeFolder(name.slice(0, 2))
      beginPartial(part)
      const file = await this.#fs.open(part, 'wx', PRIVATE_FILE)
      try {
        await file.writeFile(bytes)
      } finally {
        await file.close()
      }
      await this.#fs.rename(part, path)
      endPartial(part)
      return true
    } catch (error) {
      this.#retryAt = isPermanent(error as NodeJS.ErrnoException) ? Number.POSITIVE_INFINITY : Date.now() + PAUSE_MS
      this.#notice(`a block could not be kept in ${this.#folder}: ${reason(error)}`, `keep ${reason(error)}`)
      await this.#fs.rm(part, { force: true }).catch(() => {})
      endPartial(part)
      return false
    }
  }

  async #makeFolder(subfolder: string): Promise<void> {
    await this.#makePrivate()
    const made = await makeFolder(join(this.#folder, subfolder), { mode: PRIVATE_FOLDER, fs: this.#fs })
    if (made !== undefined && made.length <= resolve(this.#folder).length) {
      await this.#fs.writeFile(join(this.#folder, LABEL_FILE), `${this.#options.label}\n`, { mode: PRIVATE_FILE })
    }
  }

  /** Blocks reveal the user's texts. Earlier versions created the folder readable by others: take that permission away. */
  #makePrivate(): Promise<void> {
    this.#madePrivate ??= this.#fs.stat(this.#folder).then(
      async ({ mode, uid }) => {
        if ((mode & 0o077) === 0 || uid !== process.getuid?.()) return
        await this.#fs.chmod(this.#folder, PRIVATE_FOLDER).catch(() => {})
      },
      () => {},
    )
    return this.#madePrivate
  }

  /**
   * Removes the least recently used blocks of all models if the bound would be exceeded. Other processes write too, so
   * the folder is counted again after each sixteenth of the bound: each process may exceed the bound by that much.
   */
  async #makeRoom(bytes: number): Promise<void> {
    const { folder, maxBytes } = this.#options
    if (bytes > maxBytes) throw new Error(`one block has ${bytes} bytes, and all may have ${maxBytes}`)
    this.#uncounted += bytes
    if (this.#uncounted <= maxBytes / 16 && this.#bytes + this.#uncounted <= maxBytes) return
    this.#counting ??= trimBlocks(folder, this.#fs, maxBytes - bytes).then(left => {
      this.#bytes = left
      this.#uncounted = bytes
      this.#counting = null
    })
    await this.#counting
  }

  #path(name: string): string {
    return join(this.#folder, name.slice(0, 2), `${name}.block`)
  }

  /** With a `key`, reported only once. */
  #notice(text: string, key?: string): void {
    if (key !== undefined && this.#reported.has(key)) return
    if (key !== undefined) this.#reported.add(key)
    this.#options.onNotice?.(`cache: ${text}`)
  }
}

/** Whether a folder can never be created or written. (One that was removed meanwhile can be created again.) */
function isPermanent({ code, syscall }: NodeJS.ErrnoException): boolean {
  return PERMANENT.has(code ?? '') || (code === 'ENOENT' && syscall === 'mkdir')
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
