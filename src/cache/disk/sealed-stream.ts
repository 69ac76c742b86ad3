/** Sealed files that are larger than one would like to hold in memory: written and read part by part. */
import { createHash, randomUUID } from 'node:crypto'
import * as nodeFs from 'node:fs/promises'
import { dirname } from 'node:path'
import { PRIVATE_FILE } from '../../files/make-folder.ts'
import { beginPartial, endPartial } from '../../files/partial-files.ts'
import { fileTarget } from '../../files/target.ts'
import { DIGEST, headerLengthOf, PREFIX, parseHeader, sealedStart } from './sealed-file.ts'

/** What is asked of the file system to write one. */
export type SealFs = Pick<typeof nodeFs, 'open' | 'rename' | 'rm'>

/** A header is parsed before the checksum is known to be right. */
const MAX_HEADER = 64 * 2 ** 20

/**
 * Puts a file in its place whole or not at all: it is written beside it and brought to the disk before it takes the
 * name, so an older file of that name is there until the new one is. Only the user may read it. A link is followed; what is no
 * file is never replaced. Gives its size. Throws what the file system does.
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
      for await (const data of startingWith(sealedStart(magic, header), parts)) {
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

/** Reads a sealed file from its start to its end. Every method throws an Error that says what is wrong with the file. */
export class SealedReader {
  /** Not to be believed before `finish`. */
  readonly header: unknown
  /** Of all parts together. */
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
      if (!stats.isFile()) throw new Error('it is no file')
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

  /** When all parts were read: whether the file is what was written. */
  async finish(): Promise<void> {
    const digest = await readAll(this.#file, DIGEST)
    if (!this.#hash.digest().equals(digest)) throw new Error('its checksum is wrong')
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

async function* startingWith(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
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

/** So that the name survives a loss of power, too; some systems do not know this of folders, and do it by themselves. */
async function syncFolder(folder: string, fs: SealFs): Promise<void> {
  const handle = await fs.open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
