import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CheckpointError } from '../../errors.ts'
import { isGgufName, severalGguf } from '../gguf/find-gguf.ts'
import { partNames } from '../gguf/part-names.ts'
import { isModuleConfig, MODULES_FILE } from '../sentence-transformers.ts'
import type { CheckpointFiles } from '../source/checkpoint-files.ts'
import { fileKind } from '../source/file-kind.ts'
import { openFile } from '../source/file-source.ts'
import { isShardName } from '../weight-files.ts'

/** The files of a folder, or those that belong to a model's file. */
export async function modelFiles(path: string): Promise<CheckpointFiles> {
  const info = await stat(path).catch(() => undefined)
  if (!info?.isFile()) return findGgufByContent(await folderFiles(path))
  const { names, open } = await folderFiles(dirname(path))
  const name = basename(path)
  if (isGgufName(path) || (await fileKind(await openFile(path))) === 'gguf') {
    return { name: path, names: new Set(partNames(name).filter(part => names.has(part))), open, gguf: name }
  }
  // A shard stands for its whole set.
  return isShardName(name) ? { name: path, names, open } : { name: path, names, open, safetensors: name }
}

/**
 * The files of a folder without its subfolders, but with the configs in those of sentence-transformers' modules
 * (`1_Pooling/config.json`). A file is examined only when it is opened.
 */
export async function folderFiles(folder: string): Promise<CheckpointFiles> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new CheckpointError(`${folder} cannot be listed: ${(error as Error).message}`, { cause: error })
  })
  const names = new Set(entries.filter(entry => !entry.isDirectory()).map(entry => entry.name))
  if (names.has(MODULES_FILE)) for (const config of await moduleConfigs(folder, entries)) names.add(config)
  return { name: folder, names, open: name => openFile(join(folder, name)) }
}

/** Named with a slash on every system, as on the hub. */
async function moduleConfigs(folder: string, entries: readonly Dirent[]): Promise<string[]> {
  const configs = entries.map(({ name }) => `${name}/config.json`).filter(isModuleConfig)
  const there = await Promise.all(configs.map(name => stat(join(folder, name)).catch(() => undefined)))
  return configs.filter((_, i) => there[i]?.isFile())
}

/** Names without an extension, such as Ollama's blobs (sha256-…). */
const NO_EXTENSION = /^[^.]+$/
/** At most so many of them are examined. */
const MAX_EXAMINED = 256

/** If no name in the folder suggests a model: looks for the one file that is GGUF by content. */
async function findGgufByContent(files: CheckpointFiles): Promise<CheckpointFiles> {
  if ([...files.names].some(name => name === 'config.json' || isGgufName(name))) return files
  const candidates = [...files.names].filter(name => NO_EXTENSION.test(name)).slice(0, MAX_EXAMINED)
  const found: string[] = []
  for (const name of candidates) {
    // A file that cannot be opened is not the model.
    const kind = await files.open(name).then(fileKind, () => undefined)
    if (kind === 'gguf') found.push(name)
  }
  if (found.length > 1) throw severalGguf(files.name, found)
  return found[0] === undefined ? files : { ...files, gguf: found[0] }
}
