/** A folder of the browser's own files (OPFS) for blocks. All tabs of an origin see the same. Writes in workers only. */
import {
  entryName,
  freeBytes,
  isInUse,
  isMissing,
  namesIn,
  type OpfsFile,
  type OpfsFolder,
  openFolder,
} from '../../opfs/opfs.ts'
import { writeWhole } from '../../opfs/whole-files.ts'
import type { BlockPlace, FileFacts } from '../stored/block-place.ts'

/** Holds the places, each under the name that its user gave it. */
export const BLOCKS_FOLDER = 'blocks'

/** Errors that will not pass by waiting. */
const PERMANENT = new Set(['SecurityError', 'NotAllowedError'])

export class OpfsPlace implements BlockPlace {
  readonly #name: string
  /** Holds all places. */
  readonly #places: OpfsFolder

  private constructor(name: string, places: OpfsFolder) {
    this.#name = name
    this.#places = places
  }

  /** The place need not exist: the first write creates it. Throws an Error that says why nothing can be kept here. */
  static async open(name: string): Promise<OpfsPlace> {
    return new OpfsPlace(name, await openFolder([BLOCKS_FOLDER]))
  }

  show(path: string): string {
    return `${this.#name}/${path}`
  }

  async names(path: string): Promise<readonly string[]> {
    const folder = await absent(this.#find(path.split('/').filter(Boolean)))
    return folder ? namesIn(folder) : []
  }

  async stat(path: string): Promise<FileFacts | null> {
    const file = await absent(this.#file(path).then(handle => handle.getFile()))
    return file && { bytes: file.size, usedAt: file.lastModified }
  }

  async read(path: string): Promise<Uint8Array | null> {
    const content = () => this.#file(path).then(async handle => (await handle.getFile()).arrayBuffer())
    // A file that another tab touches meanwhile cannot be read (NotReadableError): once more.
    const bytes = await absent(content().catch(content))
    return bytes && new Uint8Array(bytes)
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const names = path.split('/')
    const file = names.pop() as string
    // From the top: another tab may have removed the place.
    const folder = await openFolder([BLOCKS_FOLDER, entryName(this.#name), ...names])
    try {
      await writeWhole(folder, file, [bytes], false)
    } catch (error) {
      // Then it is there: a name stands for its content.
      if (!isInUse(error)) throw error
    }
  }

  /** Browsers set times at writing only: writes a byte that is there. */
  async touch(path: string): Promise<void> {
    const access = await (await this.#file(path)).createSyncAccessHandle()
    try {
      const byte = new Uint8Array(1)
      if (access.read(byte, { at: 0 }) === 1) access.write(byte, { at: 0 })
    } finally {
      access.close()
    }
  }

  async remove(path: string): Promise<void> {
    const names = path.split('/')
    const entry = names.pop() as string
    const folder = await absent(this.#find(names))
    if (folder) await absent(folder.removeEntry(entry, { recursive: true }))
  }

  /** Half of what the origin may keep beside its models and sessions: the other half is for the next ones. */
  async limit(bytes: number): Promise<number> {
    return Math.floor((bytes + (await freeBytes())) / 2)
  }

  isPermanent(error: unknown): boolean {
    return PERMANENT.has((error as Error).name)
  }

  async #find(names: readonly string[]): Promise<OpfsFolder> {
    let folder = this.#places
    for (const name of [entryName(this.#name), ...names]) folder = await folder.getDirectoryHandle(name)
    return folder
  }

  async #file(path: string): Promise<OpfsFile> {
    const names = path.split('/')
    const file = names.pop() as string
    return (await this.#find(names)).getFileHandle(file)
  }
}

/** What comes, or null where there is no such file or folder. */
async function absent<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
