/** The files of the explorer: the built page, the engine beside it and the bundled model, by their path below the address. */
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { bundledModel } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import { ownPackage } from '../package.ts'

/** Of the model's folder: what the engine asks for. */
const MODEL_FILES = /^(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map)\.json$|\.safetensors$/
const NOT_OF_A_MODEL = /^expected\./

/** Files on disk by their path: `index.html`, `latentkit/latentkit.js`, `model/config.json`. */
export function siteFiles(): ReadonlyMap<string, string> {
  const dist = path.join(ownPackage().folder, 'dist')
  const page = path.join(dist, 'apps', 'explorer')
  if (!existsSync(path.join(page, 'index.html'))) throw new Error(`${page} has no page; npm run build makes it`)
  return new Map([
    ...filesIn(page, '', () => true),
    ...filesIn(path.join(dist, 'browser'), 'latentkit/', name => !name.endsWith('.map')),
    ...filesIn(bundledModel(), 'tales-mla-8m/', name => MODEL_FILES.test(name) && !NOT_OF_A_MODEL.test(name)),
  ])
}

function filesIn(folder: string, below: string, wanted: (name: string) => boolean): [string, string][] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isFile() && wanted(entry.name))
    .map(({ name }) => [below + name, path.join(folder, name)])
}

/** Writes the site into a folder, for any static server. Throws UsageError for a folder that holds something. */
export function writeSite(folder: string): number {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`--out: ${folder} is not empty; expected a new or empty folder`)
  }
  const files = siteFiles()
  for (const [name, file] of files) {
    const target = path.join(folder, name)
    mkdirSync(path.dirname(target), { recursive: true })
    cpSync(file, target)
  }
  return files.size
}
