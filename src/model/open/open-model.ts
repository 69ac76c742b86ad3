import { folderFiles, modelFiles } from '../../checkpoint/find/folder.ts'
import type { OpenOptions } from './open-checkpoint.ts'
import { checkConfigFile, type OpenedModel, openFiles } from './opened-model.ts'

/**
 * Opens a model on disk: a folder that holds a checkpoint, or any file of a GGUF or safetensors model. Throws
 * CheckpointError, ConfigError or UnsupportedModelError.
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  return openFiles(await modelFiles(path), options)
}

/**
 * Throws ConfigError or UnsupportedModelError if the config.json in a folder is not of a model that runs: known before
 * gigabytes of weights are downloaded.
 */
export async function checkConfig(folder: string): Promise<void> {
  await checkConfigFile(await folderFiles(folder))
}
