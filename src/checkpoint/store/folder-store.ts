/** A folder with models in it: GGUF files and folders with a config.json, up to three folders deep. */
import { lstat, readdir, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isGgufName } from '../gguf/find-gguf.ts'
import { ggufModels, stemOf, wholeGgufModels } from '../hub/gguf-choice.ts'
import { factsOf, familyOfFolder, familyOfGguf } from './facts.ts'
import { type ModelStore, newestFirst, type StoredModel } from './model-store.ts'

/** `publisher/model/file.gguf`, as LM Studio keeps them. */
const MAX_DEPTH = 3

/** The models below `folder`. Each is called by its path from there, a GGUF file without its extension. */
export function folderStore(folder: string): ModelStore {
  const list = async () => newestFirst(await modelsBelow(resolve(folder), '', 0))
  return {
    folder,
    list,
    find: async name => {
      const models = await list()
      const exact = models.find(model => model.name === name)
      if (exact !== undefined) return exact
      const short = models.filter(model => basename(model.name).toLowerCase() === name.toLowerCase())
      return short.length === 1 ? short[0] : undefined
    },
    remove: async model => {
      const found = (await list()).find(other => other.name === model.name)
      return found === undefined ? 0 : remove(found)
    },
  }
}

async function modelsBelow(folder: string, name: string, depth: number): Promise<StoredModel[]> {
  const { files, folders } = await contents(folder)
  const models = await Promise.all(wholeGgufModels(files).map(({ parts }) => ggufModel(folder, name, parts)))
  if (files.includes('config.json') && files.some(file => file.endsWith('.safetensors'))) {
    models.push(await folderModel(folder, name || basename(folder), files))
    // What is below belongs to it: `1_Pooling/`, `onnx/`.
    return models
  }
  if (depth === MAX_DEPTH) return models
  const below = await Promise.all(
    folders.map(f => modelsBelow(join(folder, f), name === '' ? f : `${name}/${f}`, depth + 1)),
  )
  return [...models, ...below.flat()]
}

/** Names of files and folders; links are followed, hidden ones left out. A folder that cannot be read is empty. */
async function contents(folder: string): Promise<{ readonly files: string[]; readonly folders: string[] }> {
  const names = (await readdir(folder).catch(() => [])).filter(name => !name.startsWith('.')).sort()
  const infos = await Promise.all(names.map(name => stat(join(folder, name)).catch(() => undefined)))
  return {
    files: names.filter((_, i) => infos[i]?.isFile()),
    folders: names.filter((_, i) => infos[i]?.isDirectory()),
  }
}

async function ggufModel(folder: string, within: string, parts: readonly string[]): Promise<StoredModel> {
  const [first = ''] = parts
  const paths = parts.map(part => join(folder, part))
  const [path = ''] = paths
  const name = within === '' ? stemOf(first) : `${within}/${stemOf(first)}`
  const facts = await factsOf(paths)
  return { name, path, format: 'gguf', family: await familyOfGguf(path), ...facts, complete: true }
}

async function folderModel(path: string, name: string, files: readonly string[]): Promise<StoredModel> {
  const facts = await factsOf(files.filter(file => !isGgufName(file)).map(file => join(path, file)))
  return { name, path, format: 'safetensors', family: await familyOfFolder(path), ...facts, complete: true }
}

/** A link is removed, not what it leads to; of a folder its files, and itself if nothing else is in it. */
async function remove({ path, format, bytes }: StoredModel): Promise<number> {
  if ((await lstat(path)).isSymbolicLink()) {
    await rm(path)
    return 0
  }
  const folder = format === 'gguf' ? dirname(path) : path
  const { files } = await contents(folder)
  const own = format === 'gguf' ? partsOf(files, basename(path)) : files.filter(file => !isGgufName(file))
  for (const file of own) await rm(join(folder, file), { force: true })
  if (format !== 'gguf') await rmdir(folder).catch(() => {})
  return bytes
}

function partsOf(files: readonly string[], first: string): readonly string[] {
  return ggufModels(files).find(({ parts }) => parts[0] === first)?.parts ?? [first]
}
