/** Models that were downloaded and are kept in the browser (OPFS): which there are, what they take, and their removal. */

import {
  nameOf,
  namesIn,
  type OpfsFolder,
  onceReleased,
  openFolder,
  readFileIn,
  readJsonIn,
  withTabLock,
  writeJsonIn,
} from '../../opfs/opfs.ts'
import { keptFile } from './file-sink.ts'

/** A model that is kept in this browser for this origin. */
export interface KeptModel {
  /** As it was given to `Engine.load`; relative addresses are written out. */
  readonly source: string
  /** Bytes of its files, of a download under way those so far. */
  readonly bytes: number
  /** Whether all of it is there. */
  readonly complete: boolean
  /** When it was last loaded; null: never, or not completely. */
  readonly used: Date | null
}

/** Written when all files are whole. */
export interface ModelRecord {
  readonly source: string
  /** Null: under way. */
  readonly files: readonly string[] | null
  readonly gguf?: string
  readonly safetensors?: string
  /** Milliseconds since 1970. */
  readonly used: number | null
}

/** What of a record says which of a model's files is the model itself. */
export const kindOf = ({ gguf, safetensors }: Pick<ModelRecord, 'gguf' | 'safetensors'>) => ({
  ...(gguf !== undefined && { gguf }),
  ...(safetensors !== undefined && { safetensors }),
})

const FOLDER = 'models'
const RECORD = 'model.json'

export const lockOf = (source: string) => `${FOLDER}/${source}`

export async function openModelFolder(source: string): Promise<OpfsFolder> {
  // First: where nothing can be kept there are no digests either, and this says why.
  const all = await openFolder([FOLDER])
  return all.getDirectoryHandle(await nameOf(source), { create: true })
}

export function readRecord(folder: OpfsFolder): Promise<ModelRecord | null> {
  return readJsonIn<ModelRecord>(folder, RECORD)
}

export function writeRecord(folder: OpfsFolder, record: ModelRecord): Promise<void> {
  return writeJsonIn(folder, RECORD, record)
}

/** The files of a complete model; null if one of them is not whole. */
export async function keptFiles(folder: OpfsFolder, { files }: ModelRecord) {
  if (files === null) return null
  const found = await Promise.all(files.map(async name => ({ name, kept: await keptFile(folder, name) })))
  const whole = found.flatMap(({ name, kept }) => (kept ? [{ name, ...kept }] : []))
  return whole.length === files.length ? whole : null
}

/** What is kept here. Throws an Error where the browser keeps nothing. */
export async function listKept(): Promise<readonly KeptModel[]> {
  const models: KeptModel[] = []
  for await (const folder of (await openFolder([FOLDER])).values()) {
    if (folder.kind !== 'directory') continue
    const record = await readRecord(folder)
    let bytes = 0
    for (const name of await namesIn(folder)) bytes += (await readFileIn(folder, name))?.size ?? 0
    const complete = record !== null && (await keptFiles(folder, record)) !== null
    const used = record?.used == null ? null : new Date(record.used)
    models.push({ source: record?.source ?? folder.name, bytes, complete, used })
  }
  return models
}

/** Removes a model, after a download of it in another tab has ended. False if there was none; throws what the browser does where it cannot. */
export async function removeKept(source: string, signal?: AbortSignal): Promise<boolean> {
  const all = await openFolder([FOLDER])
  const name = await nameOf(source)
  return withTabLock(lockOf(source), signal, async () => {
    for (const entry of [name, source]) {
      const found = await all.getDirectoryHandle(entry).catch(() => null)
      if (!found) continue
      await onceReleased(() => all.removeEntry(entry, { recursive: true }))
      return true
    }
    return false
  })
}
