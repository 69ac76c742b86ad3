/** Sealed files of the browser (OPFS), under the names that users give them. */
import { entryName, namesIn, type OpfsFolder, openFolder, userName, withTabLock } from '../../opfs/opfs.ts'
import { isPart, readWholeIn, removeParts, removeWholeIn, writeWhole } from '../../opfs/whole-files.ts'
import { Sha256 } from '../../sha256.ts'
import { SealedReader, sealedParts } from '../stored/sealed-file.ts'

/** A folder of sealed files. */
export interface SealedFolder {
  /** Whole or not at all; an older file stays until then. In workers only. Gives its size in bytes. */
  write(name: string, magic: string, header: unknown, parts: AsyncIterable<Uint8Array>): Promise<number>
  /** Throws an Error that says what is wrong with the file. */
  open(name: string, magic: string): Promise<SealedReader>
  /** Those that are there, by name. */
  list(): Promise<readonly KeptFile[]>
  /** False: there is none. */
  remove(name: string): Promise<boolean>
}

interface KeptFile {
  readonly name: string
  readonly bytes: number
  readonly written: Date
}

export function sealedFolder(folder: string): SealedFolder {
  const files = () => openFolder([folder])
  const locked = <T>(work: (files: OpfsFolder) => Promise<T>) =>
    files().then(found => withTabLock(folder, undefined, () => work(found)))
  return {
    write: (name, magic, header, parts) =>
      locked(async found => {
        await removeParts(found)
        return writeWhole(found, entryName(name), sealedParts(magic, header, parts, new Sha256()), true)
      }),
    open: async (name, magic) => {
      const file = await readWholeIn(await files(), entryName(name))
      if (!file) throw Object.assign(new Error(`${name} is not kept in this browser`), { code: 'ENOENT' })
      const read = async (at: number, bytes: number) => new Uint8Array(await file.slice(at, at + bytes).arrayBuffer())
      return SealedReader.open({ size: file.size, read, close: async () => {} }, magic, new Sha256())
    },
    list: async () => {
      const found = await files()
      const kept: KeptFile[] = []
      for (const entry of await namesIn(found)) {
        const file = isPart(entry) ? null : await readWholeIn(found, entry)
        if (file) kept.push({ name: userName(entry), bytes: file.size, written: new Date(file.lastModified) })
      }
      return kept.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    remove: name =>
      locked(async found => {
        const entry = entryName(name)
        if (!(await readWholeIn(found, entry))) return false
        await removeWholeIn(found, entry)
        return true
      }),
  }
}
