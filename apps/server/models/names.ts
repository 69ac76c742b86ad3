/** From what `serve` is given to models with names. */
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { parseModelName, writeModelName } from '../../../src/for-apps.ts'
import { OptionError } from '../../../src/index.ts'

export interface NamedModel {
  readonly name: string
  /** As `Engine.load` takes it. */
  readonly source: string
}

/** `NAME=MODEL`, a model, or a folder of models. Throws OptionError for two of one name. */
export async function namedModels(given: readonly string[]): Promise<readonly NamedModel[]> {
  const all = (await Promise.all(given.map(modelsOf))).flat()
  const names = new Set<string>()
  for (const { name, source } of all) {
    if (names.has(name)) {
      throw new OptionError(`Two models have the name ${name}; give one of them another: OTHER=${source}`)
    }
    names.add(name)
  }
  return all
}

async function modelsOf(given: string): Promise<NamedModel[]> {
  const [, alias, aliased] = /^([^=/\\]+)=(.+)$/.exec(given) ?? []
  if (alias !== undefined && aliased !== undefined && !existsSync(given)) return [{ name: alias, source: aliased }]
  const inside = await modelsIn(given)
  return inside.length > 0 ? inside : [{ name: nameOf(given), source: given }]
}

/** Models in a folder that is none itself. */
async function modelsIn(folder: string): Promise<NamedModel[]> {
  const isFolder = await stat(folder).then(
    found => found.isDirectory(),
    () => false,
  )
  if (!isFolder || existsSync(join(folder, 'config.json'))) return []
  const entries = await readdir(folder, { withFileTypes: true })
  const models = entries
    .filter(entry => entry.name.endsWith('.gguf') || existsSync(join(folder, entry.name, 'config.json')))
    // Of a model in several files the first one stands for all.
    .filter(({ name }) => !/-\d{5}-of-\d{5}\.gguf$/.test(name) || /-00001-of-\d{5}\.gguf$/.test(name))
    .map(({ name }) => ({ name: nameOf(name), source: join(folder, name) }))
  // One folder with one model in it is that model, under the folder's name.
  const [only] = models
  return models.length === 1 && only ? [{ ...only, name: nameOf(folder) }] : models
}

/** Of a path its last part, without `.gguf`; of a model of the hub its whole name. */
function nameOf(source: string): string {
  const named = existsSync(source) ? undefined : parseModelName(source)
  if (named) return writeModelName(named)
  return basename(resolve(source)).replace(/(-00001-of-\d{5})?\.gguf$/i, '')
}
