import { readdir, readFile, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { LatentkitError } from '../../errors.ts'
import { folderFiles } from '../find/folder.ts'
import { isGgufName } from '../gguf/find-gguf.ts'
import { readShardIndex } from '../safetensors/shard-index.ts'
import { INDEX_FILE, SINGLE_FILE } from '../weight-files.ts'
import { chooseGguf, type GgufChoice, wholeGgufModels } from './gguf-choice.ts'
import { isCommit, type ModelName } from './model-name.ts'

/**
 * huggingface_hub's cache: `models--org--name/` with `blobs/<etag>` (each file once), `snapshots/<commit>/<file>`
 * (links to blobs) and `refs/<revision>` (the commit that a branch had when it was last fetched).
 */
export function repoFolder(cacheDir: string, { id }: Pick<ModelName, 'id'>): string {
  return join(cacheDir, `models--${id.replace('/', '--')}`)
}

/** The name org/name of the model that a path in the cache belongs to; undefined for other paths. */
export function cachedName(path: string): string | undefined {
  const [, org, name] = /[/\\]models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]/.exec(path) ?? []
  return org === undefined ? undefined : `${org}/${name}`
}

export interface CachedModel {
  /** The snapshot's folder, if the commit is known and the folder exists. */
  readonly folder?: string
  /** What to open: the folder, or the first file of a GGUF model in it. Undefined if something is missing. */
  readonly path?: string
  /** Paths of what is missing; empty if the model is complete. */
  readonly missing: readonly string[]
}

/** Looks up a model in the cache, without network. */
export async function findCached(cacheDir: string, name: ModelName): Promise<CachedModel> {
  const repo = repoFolder(cacheDir, name)
  const commit = isCommit(name.revision) ? name.revision : await readRef(join(repo, 'refs', name.revision))
  if (commit === undefined) return { missing: [join(repo, 'refs', name.revision)] }
  const folder = join(repo, 'snapshots', commit)
  if (!(await isFolder(folder))) return { missing: [folder] }
  const missing = name.file === undefined ? await missingFiles(folder) : [name.file]
  if (missing.length === 0) return { folder, path: folder, missing }
  const gguf = chooseGguf(await completeGguf(folder), name.file)
  if (gguf !== undefined) return { folder, path: join(folder, gguf.parts[0] as string), missing: [] }
  return { folder, missing: missing.map(file => join(folder, file)) }
}

async function readRef(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return isCommit(text.trim()) ? text.trim() : undefined
}

/** The GGUF models of a snapshot whose files are all there. */
export async function completeGguf(folder: string): Promise<GgufChoice[]> {
  const entries = await readdir(folder, { recursive: true }).catch((): string[] => [])
  const names = entries.map(entry => entry.split(sep).join('/')).filter(isGgufName)
  const there = new Set<string>()
  for (const name of names) if (await isFile(join(folder, name))) there.add(name)
  return wholeGgufModels(there)
}

/** Required files that the folder lacks: someone may have downloaded only the tokenizer. */
export async function missingFiles(folder: string): Promise<string[]> {
  const needed = ['config.json']
  if (await isFile(join(folder, INDEX_FILE))) needed.push(...(await shardsOf(folder)))
  else needed.push(SINGLE_FILE)
  if (await isFile(join(folder, SINGLE_FILE))) needed.splice(1)
  const missing = []
  for (const file of needed) if (!(await isFile(join(folder, file)))) missing.push(file)
  return missing
}

/** A damaged index counts as complete here; reading it later reports the damage. */
async function shardsOf(folder: string): Promise<readonly string[]> {
  try {
    const files = await folderFiles(folder)
    return (await readShardIndex(await files.open(INDEX_FILE))).shards
  } catch (error) {
    if (error instanceof LatentkitError) return []
    throw error
  }
}

/** Follows links: a link to a removed blob is not a file. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}
