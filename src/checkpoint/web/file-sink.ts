/** Where the bytes of a download go: a file that is kept, with a record of how much of it may be believed, or memory. */
import {
  type OpfsAccess,
  type OpfsFolder,
  openAccess,
  readFileIn,
  readJsonIn,
  removeIn,
  writeAll,
  writeJsonIn,
} from '../../opfs/opfs.ts'

/** What a server says of a file, so that two downloads of it can be told apart. */
export interface FileVersion {
  readonly url: string
  /** ETag and time of the last change, as far as the server shows them; '' if it shows neither. */
  readonly validator: string
}

export interface FileSink {
  /** Bytes that are there, from the file's start. */
  readonly have: number
  /** What they are of; null: nothing is known. */
  readonly version: FileVersion | null
  /** Forgets what is there; `append` begins anew. */
  restart(version: FileVersion): Promise<void>
  /** Throws a QuotaExceededError where there is no room. */
  append(bytes: Uint8Array): Promise<void>
  /** Bytes as they were stored. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** The file is whole and right. */
  finish(): Promise<void>
  /** Ends writing. A file that is not whole can be continued. */
  close(): Promise<void>
  /** After `close`. */
  content(): Promise<Blob>
}

/** Of a kept file, beside it. Written after the bytes that it speaks of are on disk. */
interface FileRecord extends FileVersion {
  /** Bytes that are surely there. */
  readonly have: number
  readonly whole: boolean
}

/** Bytes between two records of a file under way: so much is lost when the tab closes. */
const RECORD_EVERY = 8 << 20

const dataName = (name: string) => `${encodeURIComponent(name)}.data`
const recordName = (name: string) => `${encodeURIComponent(name)}.json`

/** A file that was kept whole, and what it is of; null if there is none. */
export async function keptFile(folder: OpfsFolder, name: string): Promise<{ file: File; version: FileVersion } | null> {
  const record = await readJsonIn<FileRecord>(folder, recordName(name))
  if (record?.whole !== true) return null
  const file = await readFileIn(folder, dataName(name))
  return file?.size === record.have ? { file, version: record } : null
}

export async function forgetFile(folder: OpfsFolder, name: string): Promise<void> {
  // The record first: data without one is nothing.
  await removeIn(folder, recordName(name))
  await removeIn(folder, dataName(name))
}

/** A file of a folder in OPFS. */
export class KeptFile implements FileSink {
  readonly #folder: OpfsFolder
  readonly #name: string
  readonly #access: OpfsAccess
  #version: FileVersion | null
  #have: number
  #recorded: number

  private constructor(folder: OpfsFolder, name: string, access: OpfsAccess, record: FileRecord | null) {
    this.#folder = folder
    this.#name = name
    this.#access = access
    this.#version = record
    this.#have = Math.min(record?.have ?? 0, access.getSize())
    this.#recorded = this.#have
    // What came after the last record may be there in part only.
    access.truncate(this.#have)
  }

  /** Throws a NoModificationAllowedError where another worker writes it, a QuotaExceededError where there is no room. */
  static async open(folder: OpfsFolder, name: string): Promise<KeptFile> {
    const access = await openAccess(await folder.getFileHandle(dataName(name), { create: true }))
    return new KeptFile(folder, name, access, await readJsonIn<FileRecord>(folder, recordName(name)))
  }

  get have(): number {
    return this.#have
  }

  get version(): FileVersion | null {
    return this.#version
  }

  async restart({ url, validator }: FileVersion): Promise<void> {
    this.#version = { url, validator }
    this.#have = 0
    this.#recorded = 0
    // It speaks of bytes that are not there any more.
    await removeIn(this.#folder, recordName(this.#name))
    this.#access.truncate(0)
  }

  async append(bytes: Uint8Array): Promise<void> {
    writeAll(this.#access, bytes, this.#have)
    this.#have += bytes.length
    if (this.#have - this.#recorded >= RECORD_EVERY) await this.#record(false)
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#access.getSize() - offset)))
    return bytes.subarray(0, this.#access.read(bytes, { at: offset }))
  }

  async content(): Promise<Blob> {
    return (await readFileIn(this.#folder, dataName(this.#name))) ?? new Blob([])
  }

  async finish(): Promise<void> {
    await this.#record(true)
  }

  async close(): Promise<void> {
    try {
      if (this.#have !== this.#recorded) await this.#record(false)
    } finally {
      this.#access.close()
    }
  }

  async #record(whole: boolean): Promise<void> {
    this.#access.flush()
    const { url, validator } = this.#version ?? { url: '', validator: '' }
    const record: FileRecord = { url, validator, have: this.#have, whole }
    await writeJsonIn(this.#folder, recordName(this.#name), record)
    this.#recorded = this.#have
  }
}

/** Bytes of one blob: a browser may move a blob out of the page's own memory. */
const BLOB = 16 << 20

/** A file that is not kept. */
export class MemoryFile implements FileSink {
  #blobs: Blob[] = []
  #parts: Uint8Array<ArrayBuffer>[] = []
  #waiting = 0
  #version: FileVersion | null = null
  #have = 0

  get have(): number {
    return this.#have
  }

  get version(): FileVersion | null {
    return this.#version
  }

  async restart(version: FileVersion): Promise<void> {
    this.#version = version
    this.#blobs = []
    this.#parts = []
    this.#waiting = 0
    this.#have = 0
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#parts.push(bytes as Uint8Array<ArrayBuffer>)
    this.#have += bytes.length
    this.#waiting += bytes.length
    if (this.#waiting < BLOB) return
    this.#blobs.push(new Blob(this.#parts))
    this.#parts = []
    this.#waiting = 0
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return new Uint8Array(await (await this.content()).slice(offset, offset + length).arrayBuffer())
  }

  async content(): Promise<Blob> {
    return new Blob([...this.#blobs, ...this.#parts])
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {}
}
