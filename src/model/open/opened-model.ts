import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import type { Family } from '../../families/family.ts'
import { readModel } from '../../families/index.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { type OpenOptions, openCheckpoint, readConfigFile } from './open-checkpoint.ts'

/** A checkpoint and what its config.json says, read once: what loading, inspecting and converting begin with. */
export interface OpenedModel {
  readonly checkpoint: Checkpoint
  readonly family: Family
  readonly config: ModelConfig
}

/** Throws CheckpointError, ConfigError or UnsupportedModelError. */
export async function openFiles(files: CheckpointFiles, options: OpenOptions = {}): Promise<OpenedModel> {
  return modelOf(await openCheckpoint(files, options))
}

/** Throws ConfigError or UnsupportedModelError. */
export function modelOf(checkpoint: Checkpoint): OpenedModel {
  const { family, config } = readModel(checkpoint.configReader)
  const { ownOutput, output } = family.names
  const apart = config.tiedEmbeddings && ownOutput && checkpoint.has(`${output}.weight`)
  return { checkpoint, family, config: apart ? { ...config, tiedEmbeddings: false } : config }
}

/**
 * Throws ConfigError or UnsupportedModelError if config.json is not of a model that runs: known before gigabytes of weights are
 * downloaded. Files without one (GGUF) pass.
 */
export async function checkConfigFile(files: CheckpointFiles): Promise<void> {
  if (!files.names.has('config.json')) return
  const { config, file } = await readConfigFile(files)
  readModel(new ConfigReader(config, file))
}
