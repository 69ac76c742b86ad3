/** The one place of this room that touches a disk: finds what a model's name or path means. The network is left alone. */
import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { BUNDLED_MODEL, bundledModel } from '../../checkpoint/find/bundled-model.ts'
import { folderFiles, modelFiles } from '../../checkpoint/find/folder.ts'
import { findLocal } from '../../checkpoint/find/local-model.ts'
import { findCached } from '../../checkpoint/hub/cache-layout.ts'
import { parseModelName } from '../../checkpoint/hub/model-name.ts'
import { readJson } from '../../checkpoint/json-file.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import { openFile } from '../../checkpoint/source/file-source.ts'
import { INDEX_FILE, SINGLE_FILE } from '../../checkpoint/weight-files.ts'
import { CheckpointError, ConfigError, UnsupportedModelError } from '../../errors.ts'
import { compressedAttention } from '../../families/describe/describe.ts'
import { openCheckpoint } from '../../model/open/open-checkpoint.ts'
import { openGguf } from '../../model/open/open-gguf.ts'
import type { PlanModel } from '../plan-model.ts'
import { findPublished, publishedNames } from '../published/index.ts'
import { planModelFromCheckpoint } from './checkpoint.ts'
import { planModelFromJson } from './json.ts'

/** Bytes. Real ones: below 1 MB. */
const MAX_CONFIG = 8 << 20

/**
 * `source`: a config.json, a folder that holds one, a GGUF or safetensors file, a name in the hub's cache, or a published
 * name, the bundled model's among them.
 * Headers only: no weights are read. Throws what says which of these it is not.
 */
export async function readPlanModel(source: string, hubCacheDir?: string): Promise<PlanModel> {
  const info = await stat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ELOOP') return undefined
    throw new CheckpointError(`${source} cannot be read: links go round in a circle (ELOOP)`, { cause: error })
  })
  if (info?.isDirectory()) return fromFolder(source, basename(resolve(source)))
  if (info) return fromFile(source)
  const known = (await fromHubCache(source, hubCacheDir)) ?? findPublished(source)
  if (known) return known
  return source === BUNDLED_MODEL ? fromFolder(bundledModel(), source) : unknown(source)
}

async function fromFile(path: string): Promise<PlanModel> {
  if (/\.json$/i.test(path)) {
    const config = await readJson(await openFile(path), MAX_CONFIG, ConfigError)
    return planModelFromJson(
      config,
      path,
      nameOfFile(path) ?? nameOf(config) ?? (basename(dirname(resolve(path))) || path),
    )
  }
  const model = (await findLocal(path)) ?? path
  const files = await modelFiles(model)
  if (files.gguf !== undefined) return fromGguf(files, files.gguf)
  return planModelFromCheckpoint(await openCheckpoint(files, { tokenizer: false }), basename(model))
}

/** A config.json is called as its folder; who names the file otherwise has named the model. */
function nameOfFile(path: string): string | undefined {
  const name = basename(path).replace(/\.json$/i, '')
  return name === 'config' ? undefined : name
}

async function fromFolder(folder: string, name: string): Promise<PlanModel> {
  const files = await modelFiles(folder)
  const model = await fromFiles(folder, name, files)
  if (!files.names.has('adapter_config.json')) return model
  const reason = 'an adapter lies beside the model, whose weights are not counted'
  return { ...model, unknown: [...(model.unknown ?? []), { field: 'adapter_config.json', affects: 'weights', reason }] }
}

async function fromFiles(folder: string, name: string, files: CheckpointFiles): Promise<PlanModel> {
  if (!files.names.has('config.json')) {
    const gguf = files.gguf ?? [...files.names].filter(n => /\.gguf$/i.test(n)).sort()[0]
    if (gguf) return fromGguf(files, gguf)
    throw new CheckpointError(`${folder} has no config.json and no .gguf file; expected the files of a model`)
  }
  if (files.names.has(SINGLE_FILE) || files.names.has(INDEX_FILE)) {
    return planModelFromCheckpoint(await openCheckpoint(files, { tokenizer: false }), name)
  }
  const source = await files.open('config.json')
  return planModelFromJson(await readJson(source, MAX_CONFIG, ConfigError), source.path ?? source.name, name)
}

async function fromGguf(files: CheckpointFiles, file: string): Promise<PlanModel> {
  return planModelFromCheckpoint(await openGguf(files, file), file.replace(/\.gguf$/i, ''))
}

/** What was fetched earlier, complete or not: the config is enough. */
async function fromHubCache(source: string, cacheDir: string | undefined): Promise<PlanModel | undefined> {
  const name = cacheDir === undefined ? undefined : parseModelName(source)
  if (cacheDir === undefined || name === undefined) return undefined
  const { folder, path, missing } = await findCached(cacheDir, name)
  const short = name.id.slice(name.id.indexOf('/') + 1)
  if (path !== undefined) return fromFolder(path, short)
  if (folder === undefined || name.file !== undefined) return undefined
  if (missing.some(file => basename(file) === 'config.json')) return undefined
  const files = await folderFiles(folder)
  return planModelFromJson(await readJson(await files.open('config.json'), MAX_CONFIG, ConfigError), folder, short)
}

function nameOf(config: Readonly<Record<string, unknown>>): string | undefined {
  const name = config._name_or_path
  return typeof name === 'string' && name !== '' ? basename(name) : undefined
}

function unknown(source: string): never {
  const met = JSON.stringify(source.slice(0, 120))
  if (/deepseek[-_]?v4/i.test(source)) throw new UnsupportedModelError(compressedAttention(met))
  const path = /[\\/]|^[.~]|\.(json|gguf)$/.test(source)
  throw new CheckpointError(
    `There is no ${met} here${path ? '' : ', in the cache of the hub or in the list of published models'}; expected a ` +
      `config.json, a folder, a .gguf file or a name: ${publishedNames().join(', ')}.`,
  )
}
