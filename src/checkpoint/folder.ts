import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '../errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { CheckpointFiles } from './checkpoint-files.ts'
import { openFile } from './file-source.ts'
import { type OpenOptions, openCheckpoint } from './open-checkpoint.ts'

/** Opens the checkpoint in a folder on disk. */
export async function openFolder(folder: string, options: OpenOptions = {}): Promise<Checkpoint> {
  return openCheckpoint(await folderFiles(folder), options)
}

/** The files of a folder, subfolders left out; each is looked at only when it is opened. */
export async function folderFiles(folder: string): Promise<CheckpointFiles> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new CheckpointError(`${folder} cannot be listed: ${(error as Error).message}`, { cause: error })
  })
  const names = entries.filter(entry => !entry.isDirectory()).map(entry => entry.name)
  return { name: folder, names: new Set(names), open: name => openFile(join(folder, name)) }
}
