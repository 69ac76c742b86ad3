import { readdir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolder } from '../../files/make-folder.ts'
import { beginPartial, endPartial } from '../../files/partial-files.ts'
import { Output, type OutputOptions, partialOf, writeError } from '../output.ts'

/**
 * Writes files into a folder so that it has all of them or none. A new folder gets its name when it is whole; in one
 * that is there the files take their places one after the other once all are written, and those of an earlier
 * one go: names of its `kind`.
 */
export async function writeFolder(
  folder: string,
  kind: RegExp,
  options: OutputOptions,
  write: (open: (name: string) => Promise<Output>) => Promise<void>,
): Promise<string[]> {
  const before = await readdir(folder).catch(() => undefined)
  // Beside it, whatever slashes its name ends in.
  const place = before ? folder : partialOf(resolve(folder))
  if (!before) beginPartial(place)
  const outputs = new Map<string, Output>()
  try {
    if (!before) await makePlace(place, folder)
    await write(async name => {
      const output = await Output.open(join(place, name), options)
      outputs.set(name, output)
      return output
    })
    for (const output of outputs.values()) await output.finish()
    if (!before) await takePlace(place, folder)
  } catch (error) {
    for (const output of outputs.values()) await output.discard()
    if (!before) await rm(place, { recursive: true, force: true })
    throw error
  } finally {
    if (!before) endPartial(place)
  }
  for (const name of before ?? []) if (kind.test(name) && !outputs.has(name)) await rm(join(folder, name))
  return [...outputs.keys()].map(name => join(folder, name))
}

async function makePlace(place: string, folder: string): Promise<void> {
  await makeFolder(place).catch((error: unknown) => {
    throw writeError(folder, error)
  })
}

async function takePlace(place: string, folder: string): Promise<void> {
  await rename(place, folder).catch((error: unknown) => {
    throw writeError(folder, error)
  })
}
