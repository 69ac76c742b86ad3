import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CheckpointError } from '../errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { CheckpointFiles } from './checkpoint-files.ts'
import { openFile } from './file-source.ts'
import { isGgufName } from './gguf/find-gguf.ts'
import { partNames } from './gguf/part-names.ts'
import { type OpenOptions, openCheckpoint } from './open-checkpoint.ts'

/** Opens a model on disk: a folder that holds a checkpoint, or any file of a GGUF model. */
export async function openModel(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  return openCheckpoint(await modelFiles(path), options)
}

/** Opens the checkpoint in a folder on disk. */
export async function openFolder(folder: string, options: OpenOptions = {}): Promise<Checkpoint> {
  return openCheckpoint(await folderFiles(folder), options)
}

/** The path is a file, and named like a GGUF one. */
export async function isGgufFile(path: string): Promise<boolean> {
  if (!isGgufName(path)) return false
  const info = await stat(path).catch(() => undefined)
  return info?.isFile() ?? false
}

/** The files of a folder, or of a folder those that belong to the one GGUF model. */
export async function modelFiles(path: string): Promise<CheckpointFiles> {
  if (!(await isGgufFile(path))) return folderFiles(path)
  const { names, open } = await folderFiles(dirname(path))
  return { name: path, names: new Set(partNames(basename(path)).filter(name => names.has(name))), open }
}

/** The files of a folder, subfolders left out; each is looked at only when it is opened. */
export async function folderFiles(folder: string): Promise<CheckpointFiles> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new CheckpointError(`${folder} cannot be listed: ${(error as Error).message}`, { cause: error })
  })
  const names = entries.filter(entry => !entry.isDirectory()).map(entry => entry.name)
  return { name: folder, names: new Set(names), open: name => openFile(join(folder, name)) }
}
