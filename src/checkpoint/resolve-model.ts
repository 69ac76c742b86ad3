import { stat } from 'node:fs/promises'
import { CheckpointError, OptionError } from '../errors.ts'
import { isGgufName } from './gguf/find-gguf.ts'
import { findCached } from './hub/cache-layout.ts'
import { downloadModel } from './hub/download-model.ts'
import { HubError } from './hub/hub-error.ts'
import { type ModelName, parseModelName } from './hub/model-name.ts'
import { DEFAULT_ENDPOINT, type HubOptions } from './hub/options.ts'

/**
 * The path of a model: `source` is a folder, a GGUF file, or a name `org/name[@revision]` that is in the hub's cache
 * or is downloaded into it. What is complete in the cache is used without asking the hub whether a branch has moved.
 *
 * Throws an error that says what was looked for and where: CheckpointError for paths, HubError for names.
 */
export async function resolveModel(source: string, hub: HubOptions): Promise<string> {
  const info = await stat(source).catch(() => undefined)
  if (info?.isDirectory() || (info && isGgufName(source))) return source
  if (info !== undefined) throw new CheckpointError(`${source} is a file; give the folder that holds config.json`)
  if (isGgufName(source)) throw new CheckpointError(`${source} is not there; expected a GGUF file`)
  const name = parseModelName(source)
  if (name !== undefined) return resolveName(name, hub)
  if (/[\\/]|^[.~]/.test(source)) {
    throw new CheckpointError(`${source} is not there; expected a folder with config.json and model.safetensors`)
  }
  throw new OptionError(
    `${JSON.stringify(source)} is neither a folder here nor a model name; expected a folder, org/name or org/name@revision`,
  )
}

async function resolveName(name: ModelName, hub: HubOptions): Promise<string> {
  const { folder, missing } = await findCached(hub.cacheDir, name)
  if (folder !== undefined && missing.length === 0) return folder
  const met = `${name.id}@${name.revision} is neither a folder here nor complete in the cache ${hub.cacheDir}`
  const lacks = `(${missing.slice(0, 3).join(', ')} ${missing.length === 1 ? 'is' : 'are'} not there)`
  if (hub.offline) {
    throw new HubError('model_not_found', `${met} ${lacks}, and the network is not to be used; fetch it online first`)
  }
  try {
    return await downloadModel(name, hub)
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'model_not_found') throw error
    const endpoint = hub.endpoint ?? DEFAULT_ENDPOINT
    throw new HubError('model_not_found', `${met}, nor on ${endpoint}: ${error.message}`, { cause: error })
  }
}
