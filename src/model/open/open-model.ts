import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { modelFiles } from '../../checkpoint/find/folder.ts'
import type { Family } from '../../families/family.ts'
import { familyOf } from '../../families/index.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { type OpenOptions, openCheckpoint } from './open-checkpoint.ts'

/** A checkpoint and what its config.json says, read once: what loading, inspecting and converting begin with. */
export interface OpenedModel {
  readonly checkpoint: Checkpoint
  readonly family: Family
  readonly config: ModelConfig
}

/**
 * Opens a model on disk: a folder that holds a checkpoint, or any file of a GGUF or safetensors model. Throws
 * CheckpointError, ConfigError or UnsupportedModelError.
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  return modelOf(await openCheckpoint(await modelFiles(path), options))
}

/** Throws ConfigError or UnsupportedModelError. */
export function modelOf(checkpoint: Checkpoint): OpenedModel {
  const raw = checkpoint.configReader
  const family = familyOf(raw)
  return { checkpoint, family, config: family.config(raw) }
}
