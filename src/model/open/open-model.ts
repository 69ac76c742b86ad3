import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { modelFiles } from '../../checkpoint/find/folder.ts'
import { type OpenOptions, openCheckpoint } from './open-checkpoint.ts'

/** Opens a model on disk: a folder that holds a checkpoint, or any file of a GGUF or safetensors model. */
export async function openModel(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  return openCheckpoint(await modelFiles(path), options)
}
