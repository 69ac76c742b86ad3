/** The origin private file system of browsers, as far as it is used here; TypeScript has it in the browser's library only. */
import { hex } from '../sha256.ts'

export interface OpfsFolder {
  readonly kind: 'directory'
  readonly name: string
  getDirectoryHandle(name: string, options?: { readonly create?: boolean }): Promise<OpfsFolder>
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<OpfsFile>
  removeEntry(name: string, options?: { readonly recursive?: boolean }): Promise<void>
  values(): AsyncIterable<OpfsFolder | OpfsFile>
}

export interface OpfsFile {
  readonly kind: 'file'
  readonly name: string
  getFile(): Promise<File>
  /** In dedicated workers only. While it is open, nobody else may open the file. */
  createSyncAccessHandle(): Promise<OpfsAccess>
  /** Gives the file another name, of a file that is there too; not every browser has it. */
  move?(name: string): Promise<void>
}

/** Reads and writes without waiting. */
export interface OpfsAccess {
  read(bytes: Uint8Array, options?: { readonly at?: number }): number
  write(bytes: Uint8Array, options?: { readonly at?: number }): number
  truncate(size: number): void
  getSize(): number
  flush(): void
  close(): void
}

/** In bytes, of all that the origin keeps. */
interface StorageEstimate {
  readonly quota?: number
  readonly usage?: number
}

interface Navigator {
  readonly storage?: {
    getDirectory?(): Promise<OpfsFolder>
    estimate?(): Promise<StorageEstimate>
    persisted?(): Promise<boolean>
  }
  readonly locks?: Locks
}

/** Locks of an origin, between its tabs and workers. */
interface Locks {
  request<T>(name: string, options: { readonly signal?: AbortSignal }, work: () => Promise<T>): Promise<T>
}

const navigatorOf = () => (globalThis as unknown as { readonly navigator?: Navigator }).navigator

/** Of all that latentkit keeps for an origin. */
const ROOT = 'latentkit'

/** A folder below latentkit's own. Throws an Error that says why nothing can be kept here. */
export async function openFolder(names: readonly string[]): Promise<OpfsFolder> {
  const storage = navigatorOf()?.storage
  if (!storage?.getDirectory) {
    throw new Error('this browser keeps files (OPFS) only for pages that came over https or from localhost')
  }
  let folder = await storage.getDirectory()
  for (const name of [ROOT, ...names]) folder = await folder.getDirectoryHandle(name, { create: true })
  return folder
}

/** What the browser says of all that this origin keeps: `navigator.storage` has both. */
export async function storageFacts(): Promise<StorageEstimate & { readonly persisted: boolean }> {
  const storage = navigatorOf()?.storage
  return { ...(await storage?.estimate?.()), persisted: (await storage?.persisted?.()) ?? false }
}

/** Bytes that the origin may still keep; Infinity where the browser does not say. */
export async function freeBytes(): Promise<number> {
  const { quota, usage = 0 } = await storageFacts()
  return quota === undefined ? Number.POSITIVE_INFINITY : Math.max(0, quota - usage)
}

/** Undefined in pages that came neither over https nor from localhost. */
export const navigatorLocks = (): Locks | undefined => navigatorOf()?.locks

/** One of all tabs at a time does `work`; where there are no locks, this one. */
export async function withTabLock<T>(
  name: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const locks = navigatorLocks()
  return locks ? locks.request(`${ROOT}/${name}`, signal ? { signal } : {}, work) : work()
}

export async function readFileIn(folder: OpfsFolder, name: string): Promise<File | null> {
  try {
    return await (await folder.getFileHandle(name)).getFile()
  } catch {
    return null
  }
}

/** The content of a JSON file; null where there is none, or not a whole one: no beginning of an object is an object. */
export async function readJsonIn<T extends object>(folder: OpfsFolder, name: string): Promise<T | null> {
  try {
    const value: unknown = JSON.parse((await (await readFileIn(folder, name))?.text()) ?? '')
    return typeof value === 'object' && value !== null ? (value as T) : null
  } catch {
    return null
  }
}

export async function writeJsonIn(folder: OpfsFolder, name: string, value: object): Promise<void> {
  const access = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle()
  try {
    access.truncate(0)
    writeAll(access, new TextEncoder().encode(JSON.stringify(value)), 0)
    access.flush()
  } finally {
    access.close()
  }
}

/** Whether a tab that closed in the middle of `writeWhole` left it. */
export const isPart = (name: string) => /\.[0-9a-f-]{36}\.(part|whole)$/.test(name)
/** The mark that a part is whole: until its copy is, too, the part is the file. */
const markOf = (part: string) => part.replace(/part$/, 'whole')
const marked = (mark: string) => /^(.*)\.[0-9a-f-]{36}\.whole$/.exec(mark)?.[1]
const COPIED = 16 << 20

/**
 * Puts a file in its place whole or not at all: under another name until it is whole, since a tab may close at any time. With
 * `sync` it waits for the disk. Returns the file's size in bytes.
 */
export async function writeWhole(
  folder: OpfsFolder,
  name: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sync: boolean,
): Promise<number> {
  const part = `${name}.${crypto.randomUUID()}.part`
  const file = await folder.getFileHandle(part, { create: true })
  try {
    const bytes = await writeParts(file, parts, sync)
    await rename(folder, file, name, sync)
    return bytes
  } catch (error) {
    await removeIn(folder, part)
    throw error
  }
}

/** Removes what tabs that closed in the middle have left, or copies on; call it in workers, where no other tab writes. */
export async function removeParts(folder: OpfsFolder): Promise<void> {
  for (const [part, name] of await markedParts(folder)) {
    const file = await folder.getFileHandle(part).catch(() => null)
    if (file) await copyMarked(folder, file, name)
    else await removeIn(folder, markOf(part))
  }
  const kept = new Set((await markedParts(folder)).flatMap(([part]) => [part, markOf(part)]))
  for (const name of await namesIn(folder)) if (isPart(name) && !kept.has(name)) await removeIn(folder, name)
}

/** The content of a file that `writeWhole` wrote with `sync`; null: there is none. */
export async function readWholeIn(folder: OpfsFolder, name: string): Promise<File | null> {
  for (const [part, of] of await markedParts(folder)) {
    const file = of === name ? await readFileIn(folder, part) : null
    if (file) return file
  }
  return readFileIn(folder, name)
}

/** Removes such a file. */
export async function removeWholeIn(folder: OpfsFolder, name: string): Promise<void> {
  await removeIn(folder, name)
  await removeMarks(folder, name)
}

/** Parts that are whole, each with the name it is meant for. */
async function markedParts(folder: OpfsFolder): Promise<readonly (readonly [part: string, name: string])[]> {
  return (await namesIn(folder)).flatMap(mark => {
    const name = marked(mark)
    return name === undefined ? [] : [[mark.replace(/whole$/, 'part'), name] as const]
  })
}

async function removeMarks(folder: OpfsFolder, name: string, but?: string): Promise<void> {
  for (const [part, of] of await markedParts(folder)) {
    if (of !== name || part === but) continue
    await removeIn(folder, markOf(part))
    await removeIn(folder, part)
  }
}

/** Names of the files and folders in a folder. */
export async function namesIn(folder: OpfsFolder): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of folder.values()) names.push(name)
  return names
}

async function writeParts(
  file: OpfsFile,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sync: boolean,
): Promise<number> {
  const access = await file.createSyncAccessHandle()
  try {
    access.truncate(0)
    let at = 0
    for await (const part of parts) {
      writeAll(access, part, at)
      at += part.length
    }
    if (sync) access.flush()
    return at
  } finally {
    access.close()
  }
}

/**
 * Where the browser cannot rename, it copies. With `sync` an older file counts until the new one is whole; without, a copy that was cut is
 * not whole, which its checksum shows.
 */
async function rename(folder: OpfsFolder, file: OpfsFile, name: string, sync: boolean): Promise<void> {
  try {
    if (file.move) return await file.move(name)
  } catch (error) {
    // Some browsers do not rename over a file that exists. Where there is no room, or the file is in use, there is none for a copy.
    if (isQuotaError(error) || isInUse(error)) throw error
  }
  if (sync) {
    await folder.getFileHandle(markOf(file.name), { create: true })
    await removeMarks(folder, name, file.name)
    return copyMarked(folder, file, name)
  }
  const target = await folder.getFileHandle(name, { create: true })
  try {
    await writeParts(target, slices(await file.getFile()), true)
  } catch (error) {
    if (!isInUse(error)) await removeIn(folder, name)
    throw error
  }
  await removeIn(folder, file.name)
}

/** A part with its mark: where it cannot be copied, it stays the file. */
async function copyMarked(folder: OpfsFolder, file: OpfsFile, name: string): Promise<void> {
  try {
    const target = await folder.getFileHandle(name, { create: true })
    await writeParts(target, slices(await file.getFile()), true)
  } catch {
    return
  }
  await folder.removeEntry(markOf(file.name))
  await removeIn(folder, file.name)
}

async function* slices(content: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.size; at += COPIED) {
    yield new Uint8Array(await content.slice(at, at + COPIED).arrayBuffer())
  }
}

/** Throws a QuotaExceededError where there is no room. */
export function writeAll(access: OpfsAccess, bytes: Uint8Array, at: number): void {
  const written = access.write(bytes, { at })
  // Chromium's private windows give an error's number without its sign.
  if (written !== bytes.length) throw new DOMException('the quota is used up', 'QuotaExceededError')
}

export function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError'
}

/** Whether another tab, or this one, has the file open for writing. */
export function isInUse(error: unknown): boolean {
  return error instanceof Error && error.name === 'NoModificationAllowedError'
}

export async function removeIn(folder: OpfsFolder, name: string): Promise<void> {
  await folder.removeEntry(name, { recursive: true }).catch(() => {})
}

/** A file's or folder's name for what a user calls it, and back. */
export const entryName = (name: string) =>
  encodeURIComponent(name).replace(/^\.+$/, dots => dots.replaceAll('.', '%2E'))
export function userName(entry: string): string {
  try {
    return decodeURIComponent(entry)
  } catch {
    return entry
  }
}

/** A name for a folder or a file of any text: 128 bits of its SHA-256, in hexadecimal. */
export async function nameOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return hex(new Uint8Array(hash, 0, 16))
}
