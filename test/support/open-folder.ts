import type { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { modelFiles } from '../../src/checkpoint/find/folder.ts'
import { type OpenOptions, openCheckpoint } from '../../src/model/open/open-checkpoint.ts'

/** A checkpoint on disk, whether or not it is a model that runs. */
export async function openFolder(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  return openCheckpoint(await modelFiles(path), options)
}
