import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import type { Family } from '../../families/family.ts'
import { readModel } from '../../families/index.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { type OpenOptions, openCheckpoint } from './open-checkpoint.ts'

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
  return { checkpoint, ...readModel(checkpoint.configReader) }
}
