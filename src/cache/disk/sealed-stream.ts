/** Sealed files on disk that may not fit in memory, written and read part by part. */
import { createHash, randomUUID } from 'node:crypto'
import * as nodeFs from 'node:fs/promises'
import { dirname } from 'node:path'
import { PRIVATE_FILE } from '../../files/make-folder.ts'
import { beginPartial, endPartial } from '../../files/partial-files.ts'
import { fileTarget } from '../../files/target.ts'
import { SealedReader, sealedParts } from '../stored/sealed-file.ts'

/** The file system calls that writing needs. */
export type SealFs = Pick<typeof nodeFs, 'open' | 'rename' | 'rm'>

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
      for await (const data of sealedParts(magic, header, parts, createHash('sha256'))) {
        bytes += data.length
        await file.writeFile(data)
      }
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

export async function openSealed(path: string, magic: string): Promise<SealedReader> {
  const file = await nodeFs.open(path, 'r')
  const close = () => file.close()
  let size: number
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is not a file')
    size = stats.size
  } catch (error) {
    await close()
    throw error
  }
  return SealedReader.open({ size, read: (at, bytes) => readUpTo(file, at, bytes), close }, magic, createHash('sha256'))
}

async function readUpTo(file: nodeFs.FileHandle, from: number, bytes: number): Promise<Uint8Array> {
  const data = new Uint8Array(bytes)
  let at = 0
  while (at < bytes) {
    const { bytesRead } = await file.read(data, at, bytes - at, from + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return at < bytes ? data.subarray(0, at) : data
}

/** Makes the rename survive a power loss. Some systems cannot sync folders; they need not. */
async function syncFolder(folder: string, fs: SealFs): Promise<void> {
  const handle = await fs.open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
