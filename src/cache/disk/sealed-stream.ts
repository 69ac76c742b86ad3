/** Sealed files that may not fit in memory, written and read part by part. */
import { createHash, randomUUID } from 'node:crypto'
import * as nodeFs from 'node:fs/promises'
import { dirname } from 'node:path'
import { PRIVATE_FILE } from '../../files/make-folder.ts'
import { beginPartial, endPartial } from '../../files/partial-files.ts'
import { fileTarget } from '../../files/target.ts'
import { DIGEST, headerLengthOf, PREFIX, parseHeader, sealedStart } from './sealed-file.ts'

/** The file system calls that writing needs. */
export type SealFs = Pick<typeof nodeFs, 'open' | 'rename' | 'rm'>

/** Bytes. The header is parsed before the checksum is verified, so its size needs a limit. */
const MAX_HEADER = 64 * 2 ** 20

/**
 * Writes a file whole or not at all: under another name first, synced, then renamed over an older file. Only the user may
 * read it. A link is followed; anything but a file is never replaced. Returns the file's size in bytes. Throws file system
 * errors.
 */
export async function writeSealed(
  path: string,
  magic: string,
  header: unknown,
  parts: AsyncIterable<Uint8Array>,
  fs: SealFs = nodeFs,
): Promise<number> {
  const target = await fileTarget(path)
  const part = `${target}.${randomUUID()}.part`
  beginPartial(part)
  try {
    const file = await fs.open(part, 'wx', PRIVATE_FILE)
    let bytes = 0
    try {
      const hash = createHash('sha256')
      const put = async (data: Uint8Array) => {
        bytes += data.length
        await file.writeFile(data)
      }
      for await (const data of prepended(sealedStart(magic, header), parts)) {
        hash.update(data)
        await put(data)
      }
      await put(hash.digest())
      await file.sync()
    } finally {
      await file.close()
    }
    await fs.rename(part, target)
    await syncFolder(dirname(target), fs)
    return bytes
  } catch (error) {
    await fs.rm(part, { force: true }).catch(() => {})
    throw error
  } finally {
    endPartial(part)
  }
}

/** Reads a sealed file from start to end. Every method throws an Error whose message completes "the file is damaged: …". */
export class SealedReader {
  /** Unverified until `finish` has returned. */
  readonly header: unknown
  /** Bytes of all parts together. */
  readonly bodyBytes: number
  readonly #file: nodeFs.FileHandle
  readonly #hash: ReturnType<typeof createHash>

  private constructor(
    file: nodeFs.FileHandle,
    header: unknown,
    bodyBytes: number,
    hash: ReturnType<typeof createHash>,
  ) {
    this.#file = file
    this.header = header
    this.bodyBytes = bodyBytes
    this.#hash = hash
  }

  static async open(path: string, magic: string): Promise<SealedReader> {
    const file = await nodeFs.open(path, 'r')
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw new Error('it is not a file')
      const prefix = await readAll(file, Math.min(PREFIX, stats.size))
      const length = headerLengthOf(magic, Buffer.from(prefix.buffer), stats.size)
      const bodyBytes = stats.size - PREFIX - length - DIGEST
      if (length > MAX_HEADER || bodyBytes < 0) throw new Error(`its header would have ${length} bytes`)
      const json = await readAll(file, length)
      const hash = createHash('sha256').update(prefix).update(json)
      return new SealedReader(file, parseHeader(Buffer.from(json.buffer)), bodyBytes, hash)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The next part. */
  async next(bytes: number): Promise<Uint8Array> {
    const data = await readAll(this.#file, bytes)
    this.#hash.update(data)
    return data
  }

  /** Call after the last part. Throws if the checksum is wrong. */
  async finish(): Promise<void> {
    const digest = await readAll(this.#file, DIGEST)
    if (!this.#hash.digest().equals(digest)) throw new Error('its checksum is wrong')
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

async function* prepended(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}

async function readAll(file: nodeFs.FileHandle, bytes: number): Promise<Uint8Array> {
  const data = new Uint8Array(bytes)
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(data, at, bytes - at)
    if (bytesRead === 0) throw new Error(`it ends ${bytes - at} bytes early`)
    at += bytesRead
  }
  return data
}

/** Makes the rename survive a power loss. Some systems cannot sync folders; they need not. */
async function syncFolder(folder: string, fs: SealFs): Promise<void> {
  const handle = await fs.open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
