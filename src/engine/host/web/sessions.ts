/** Sessions as files of the browser (OPFS), in the form that they have on disk (src/cache/disk/sealed-file.ts). */
import {
  hex,
  type OpfsAccess,
  type OpfsFolder,
  openFolder,
  readFileIn,
  removeIn,
  withTabLock,
  writeAll,
} from '../../../checkpoint/web/opfs.ts'
import { Sha256 } from '../../../checkpoint/web/sha256.ts'
import type { SealedFiles, SealedReader } from '../../types/platform.ts'

const PREFIX = 12
const DIGEST = 32
const MAX_HEADER = 64 * 2 ** 20
const FOLDER = 'sessions'

export const WEB_SESSIONS: SealedFiles = {
  write: async (path, magic, header, parts) => {
    const folder = await openFolder([FOLDER])
    return withTabLock(FOLDER, undefined, async () => {
      await removeParts(folder)
      // Under another name until it is whole: a tab may close at any time.
      const part = `${encodeURIComponent(path)}.${crypto.randomUUID()}.part`
      try {
        const bytes = await writeSealed(folder, part, magic, header, parts)
        await replace(folder, part, encodeURIComponent(path))
        return bytes
      } finally {
        await removeIn(folder, part)
      }
    })
  },
  open: async (path, magic) => {
    const file = await readFileIn(await openFolder([FOLDER]), encodeURIComponent(path))
    if (!file) throw Object.assign(new Error(`${path} is not kept in this browser`), { code: 'ENOENT' })
    return openSealed(file, magic)
  },
}

/** What tabs that closed in the middle have left. */
async function removeParts(folder: OpfsFolder): Promise<void> {
  const names: string[] = []
  for await (const { name } of folder.values()) if (/\.[0-9a-f-]{36}\.part$/.test(name)) names.push(name)
  for (const name of names) await removeIn(folder, name)
}

async function writeSealed(
  folder: OpfsFolder,
  name: string,
  magic: string,
  header: unknown,
  parts: AsyncIterable<Uint8Array>,
): Promise<number> {
  const access = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle()
  try {
    const hash = new Sha256()
    let at = put(access, start(magic, header), 0, hash)
    for await (const part of parts) at = put(access, part, at, hash)
    at = put(access, hash.digest(), at)
    access.flush()
    return at
  } finally {
    access.close()
  }
}

function put(access: OpfsAccess, bytes: Uint8Array, at: number, hash?: Sha256): number {
  hash?.update(bytes)
  writeAll(access, bytes, at)
  return at + bytes.length
}

function start(magic: string, header: unknown): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(PREFIX + json.length)
  bytes.set(new TextEncoder().encode(magic))
  new DataView(bytes.buffer).setUint32(8, json.length, true)
  bytes.set(json, PREFIX)
  return bytes
}

/** A file of OPFS under another name. Where the browser cannot rename, it copies: a copy that was cut has a wrong checksum. */
async function replace(folder: OpfsFolder, from: string, to: string): Promise<void> {
  const file = (await folder.getFileHandle(from)) as unknown as { move?(name: string): Promise<void> }
  if (file.move) {
    try {
      await file.move(to)
      return
    } catch {
      // Some browsers do not rename over a file that exists.
    }
  }
  const content = (await readFileIn(folder, from)) ?? new Blob([])
  const access = await (await folder.getFileHandle(to, { create: true })).createSyncAccessHandle()
  try {
    access.truncate(0)
    for (let at = 0; at < content.size; at += COPIED) {
      writeAll(access, new Uint8Array(await content.slice(at, at + COPIED).arrayBuffer()), at)
    }
    access.flush()
  } finally {
    access.close()
  }
}

const COPIED = 16 << 20

/** Throws an Error whose message completes "the file is damaged: …". */
async function openSealed(file: Blob, magic: string): Promise<SealedReader> {
  const hash = new Sha256()
  let at = 0
  const next = async (bytes: number) => {
    const part = new Uint8Array(await file.slice(at, at + bytes).arrayBuffer())
    if (part.length < bytes) throw new Error(`it ends ${bytes - part.length} bytes early`)
    at += bytes
    hash.update(part)
    return part
  }
  if (file.size < PREFIX + DIGEST) throw new Error(`it has ${file.size} bytes, less than any such file`)
  const prefix = await next(PREFIX)
  if (new TextDecoder('latin1').decode(prefix.subarray(0, 8)) !== magic) {
    throw new Error(`it does not begin with ${magic}`)
  }
  const length = new DataView(prefix.buffer).getUint32(8, true)
  const bodyBytes = file.size - PREFIX - length - DIGEST
  if (length > MAX_HEADER || bodyBytes < 0) throw new Error(`its header would have ${length} bytes`)
  return {
    header: parsed(await next(length)),
    bodyBytes,
    next,
    finish: async () => {
      const digest = new Uint8Array(await file.slice(at, at + DIGEST).arrayBuffer())
      if (hex(hash.digest()) !== hex(digest)) throw new Error('its checksum is wrong')
    },
    close: async () => {},
  }
}

function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json))
  } catch {
    throw new Error('its header is not JSON')
  }
}
