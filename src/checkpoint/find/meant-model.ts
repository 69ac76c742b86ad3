import { CheckpointError } from '../../errors.ts'
import { type ModelName, parseModelName } from '../hub/model-name.ts'
import { findLocal } from './local-model.ts'

/** What a text means: a path on this machine, or a name on the hub, which is not asked. Throws CheckpointError for what is neither. */
export async function meantModel(source: string): Promise<string | ModelName> {
  const local = await findLocal(source)
  if (local !== undefined) return local
  const name = parseModelName(source)
  if (name !== undefined) return name
  if (source.includes('/')) throw new CheckpointError(`${source} is not there; ${EXPECTED_FOLDER}`)
  throw new CheckpointError(
    `${JSON.stringify(source)} is neither a folder here nor a model name; expected a folder, a GGUF file, org/name or ` +
      'org/name@revision',
  )
}

export const EXPECTED_FOLDER = 'expected a folder with config.json and model.safetensors'
