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

/** Over what is there: a file that does not grow needs no room. */
export async function writeJsonIn(folder: OpfsFolder, name: string, value: object): Promise<void> {
  const access = await openAccess(await folder.getFileHandle(name, { create: true }))
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(value))
    writeAll(access, bytes, 0)
    access.truncate(bytes.length)
    access.flush()
  } finally {
    access.close()
  }
}

/** A file for this worker alone. Throws a NoModificationAllowedError where another keeps it. */
export const openAccess = (file: OpfsFile): Promise<OpfsAccess> => onceReleased(() => file.createSyncAccessHandle())

const RETRY_MS = 50
const ATTEMPTS = 20

/** Does `work` again for a second while a file is in use: a worker that was ended just now may hold it for a moment yet. */
export async function onceReleased<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isInUse(error) || attempt === ATTEMPTS) throw error
      await new Promise(resolve => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Names of the files and folders in a folder; those met so far if another tab removes it meanwhile. */
export async function namesIn(folder: OpfsFolder): Promise<string[]> {
  const names: string[] = []
  try {
    for await (const { name } of folder.values()) names.push(name)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return names
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

/** Whether there is no such file or folder, or none any more. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotFoundError'
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
