/** The origin private file system of browsers, as far as it is used here; TypeScript has it in the browser's library only. */

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

interface Navigator {
  readonly storage?: {
    getDirectory?(): Promise<OpfsFolder>
    estimate?(): Promise<{ readonly quota?: number; readonly usage?: number }>
  }
  readonly locks?: {
    request<T>(name: string, options: { readonly signal?: AbortSignal }, work: () => Promise<T>): Promise<T>
  }
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

/** Bytes that the origin may still keep; Infinity where the browser does not say. */
export async function freeBytes(): Promise<number> {
  const { quota, usage = 0 } = (await navigatorOf()?.storage?.estimate?.()) ?? {}
  return quota === undefined ? Number.POSITIVE_INFINITY : Math.max(0, quota - usage)
}

/** One of all tabs at a time does `work`; where there are no locks, this one. */
export async function withTabLock<T>(
  name: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const locks = navigatorOf()?.locks
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

/** Throws a QuotaExceededError where there is no room. */
export function writeAll(access: OpfsAccess, bytes: Uint8Array, at: number): void {
  const written = access.write(bytes, { at })
  if (written < bytes.length) throw new DOMException('the quota is used up', 'QuotaExceededError')
}

export function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError'
}

export async function removeIn(folder: OpfsFolder, name: string): Promise<void> {
  await folder.removeEntry(name, { recursive: true }).catch(() => {})
}

/** A name for a folder or a file of any text: 128 bits of its SHA-256, in hexadecimal. */
export async function nameOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return hex(new Uint8Array(hash, 0, 16))
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
