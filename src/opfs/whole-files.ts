/** Files of a browser (OPFS) that are written whole or not at all, whenever the tab closes. */
import {
  isInUse,
  isQuotaError,
  namesIn,
  type OpfsFile,
  type OpfsFolder,
  readFileIn,
  removeIn,
  writeAll,
} from './opfs.ts'

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
