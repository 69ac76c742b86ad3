import { modelFiles } from '../../checkpoint/find/folder.ts'
import type { OpenOptions } from './open-checkpoint.ts'
import { type OpenedModel, openFiles } from './opened-model.ts'

/**
 * Opens a model on disk: a folder that holds a checkpoint, or any file of a GGUF or safetensors model. Throws
 * CheckpointError, ConfigError or UnsupportedModelError.
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  return openFiles(await modelFiles(path), options)
}
