import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CheckpointError } from '../../errors.ts'
import { isGgufName, severalGguf } from '../gguf/find-gguf.ts'
import { partNames } from '../gguf/part-names.ts'
import type { CheckpointFiles } from '../source/checkpoint-files.ts'
import { openFile } from '../source/file-source.ts'
import { isShardName } from '../weight-files.ts'
import { fileKind } from './file-kind.ts'

/** The files of a folder, or those that belong to the file of a model. */
export async function modelFiles(path: string): Promise<CheckpointFiles> {
  const info = await stat(path).catch(() => undefined)
  if (!info?.isFile()) return withUnnamedGguf(await folderFiles(path))
  const { names, open } = await folderFiles(dirname(path))
  const name = basename(path)
  if (isGgufName(path) || (await fileKind(await openFile(path))) === 'gguf') {
    return { name: path, names: new Set(partNames(name).filter(part => names.has(part))), open, gguf: name }
  }
  // Any part of a set stands for all of it.
  return isShardName(name) ? { name: path, names, open } : { name: path, names, open, safetensors: name }
}

/** The files of a folder, subfolders left out; each is looked at only when it is opened. */
export async function folderFiles(folder: string): Promise<CheckpointFiles> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new CheckpointError(`${folder} cannot be listed: ${(error as Error).message}`, { cause: error })
  })
  const names = entries.filter(entry => !entry.isDirectory()).map(entry => entry.name)
  return { name: folder, names: new Set(names), open: name => openFile(join(folder, name)) }
}

/** Files without an ending, as Ollama's blobs (sha256-…). */
const UNNAMED = /^[^.]+$/
/** More of them are not looked into. */
const MOST_UNNAMED = 256

/** In a folder without a model by its names: the one file that is GGUF by its bytes. */
async function withUnnamedGguf(files: CheckpointFiles): Promise<CheckpointFiles> {
  if ([...files.names].some(name => name === 'config.json' || isGgufName(name))) return files
  const unnamed = [...files.names].filter(name => UNNAMED.test(name)).slice(0, MOST_UNNAMED)
  const found: string[] = []
  for (const name of unnamed) {
    // What cannot be opened is no model, whatever else it is.
    const kind = await files.open(name).then(fileKind, () => undefined)
    if (kind === 'gguf') found.push(name)
  }
  if (found.length > 1) throw severalGguf(files.name, found)
  return found[0] === undefined ? files : { ...files, gguf: found[0] }
}
