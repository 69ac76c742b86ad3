import { stat } from 'node:fs/promises'
import { CheckpointError } from '../../errors.ts'
import { findCached } from '../hub/cache-layout.ts'
import { downloadModel } from '../hub/download-model.ts'
import { HubError } from '../hub/hub-error.ts'
import type { ModelName } from '../hub/model-name.ts'
import { DEFAULT_ENDPOINT, type HubOptions } from '../hub/options.ts'
import { BUNDLED_MODEL } from './bundled-model.ts'
import { EXPECTED_FOLDER, meantModel } from './meant-model.ts'

/**
 * The path of a model. `source` is a folder, a GGUF or safetensors file, an Ollama manifest, the name of the bundled
 * model, or a name `org/name[@revision][:FILE]`, found in the hub cache or downloaded into it. A complete model in the cache is
 * used without asking the hub whether the branch has moved.
 *
 * Throws CheckpointError for paths and HubError for names; the message lists where we looked.
 */
export async function resolveModel(source: string, hub: HubOptions): Promise<string> {
  const meant = await meantModel(source)
  return typeof meant === 'string' ? meant : resolveName(meant, source, hub)
}

/** Pages of the hub: no organisation can have these names. */
const PAGES = new Set(['models', 'datasets', 'spaces'])

/** Whether `org/name` is probably a path: `org` is a folder here or cannot be an organisation, and no revision is given. */
async function isMeantAsPath(source: string): Promise<boolean> {
  const [first = ''] = source.split('/')
  if (/[@:]/.test(source)) return false
  return PAGES.has(first) || ((await stat(first).catch(() => undefined))?.isDirectory() ?? false)
}

function hintFor({ id }: ModelName): string {
  const [org = '', short] = id.split('/')
  if (short === BUNDLED_MODEL) return `; the model that comes with latentkit is called ${BUNDLED_MODEL}`
  return PAGES.has(org) ? '' : `; a model of that name on the hub is ${id}@main`
}

async function resolveName(name: ModelName, source: string, hub: HubOptions): Promise<string> {
  const { path, missing } = await findCached(hub.cacheDir, name)
  if (path !== undefined) return path
  if (await isMeantAsPath(source)) {
    throw new CheckpointError(`There is no folder ${source}; ${EXPECTED_FOLDER}${hintFor(name)}`)
  }
  const met = `${name.id}@${name.revision}${name.file === undefined ? '' : `:${name.file}`} is neither a folder here nor complete in the cache ${hub.cacheDir}`
  const lacks = `(${missing.slice(0, 3).join(', ')} ${missing.length === 1 ? 'is' : 'are'} not there)`
  if (hub.offline) {
    throw new HubError('model_not_found', `${met} ${lacks}, and the network is not to be used; fetch it online first`)
  }
  try {
    return await downloadModel(name, hub)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    if (error.code === 'hub_unreachable') {
      throw new HubError('hub_unreachable', `${met}, and ${error.message}`, { cause: error })
    }
    if (error.code !== 'model_not_found') throw error
    const endpoint = hub.endpoint ?? DEFAULT_ENDPOINT
    throw new HubError('model_not_found', `${met}, nor on ${endpoint}: ${error.message}`, { cause: error })
  }
}
