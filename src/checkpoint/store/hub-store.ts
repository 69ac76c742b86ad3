/** The models in the hub's cache, which Python's huggingface_hub shares. */
import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { completeGguf, findCached, missingFiles, repoFolder } from '../hub/cache-layout.ts'
import type { GgufChoice } from '../hub/gguf-choice.ts'
import { HubError } from '../hub/hub-error.ts'
import { isHeld } from '../hub/lock.ts'
import { isCommit, type ModelName, parseModelName, writeModelName } from '../hub/model-name.ts'
import { factsOf, familyOfFolder, familyOfGguf } from './facts.ts'
import { type ModelStore, newestFirst, type StoredModel } from './model-store.ts'

/** The models in `folder`, a cache of the hub (`models--org--name`). */
export function hubStore(folder: string): ModelStore {
  return {
    folder,
    list: async () => {
      const repos = (await names(folder)).map(repoNamed).filter(id => id !== undefined)
      const models = await Promise.all(repos.map(id => modelsOf(folder, id)))
      return newestFirst(models.flat())
    },
    find: async name => {
      const wanted = parseModelName(name)
      if (wanted === undefined) return undefined
      const { path } = await findCached(folder, wanted)
      if (path === undefined) return undefined
      return (await modelsOf(folder, wanted.id)).find(model => model.complete && isSame(model.path, path))
    },
    remove: model => remove(folder, model),
  }
}

/** `org/name` of a folder's name; undefined for other folders of the cache (`datasets--…`, `.locks`). */
function repoNamed(name: string): string | undefined {
  const [, id] = /^models--(.+)$/.exec(name) ?? []
  return id === undefined ? undefined : parseModelName(id.replace('--', '/'))?.id
}

/** The models of a repository: in each snapshot its safetensors and its GGUF models; what is incomplete if it has none. */
async function modelsOf(cacheDir: string, id: string): Promise<StoredModel[]> {
  const repo = repoFolder(cacheDir, { id })
  const models: StoredModel[] = []
  for (const { revision, folder } of await snapshotsOf(repo))
    models.push(...(await modelsIn(repo, folder, { id, revision })))
  if (models.length > 0) return models
  const facts = await factsOf(await blobsOf(repo))
  return facts.files === 0 ? [] : [{ name: id, path: repo, format: null, family: null, ...facts, complete: false }]
}

async function modelsIn(repo: string, folder: string, name: ModelName): Promise<StoredModel[]> {
  const ggufs = await completeGguf(folder)
  const models = await Promise.all(ggufs.map(gguf => ggufModel(folder, name, gguf)))
  const missing = await missingFiles(folder)
  const complete = missing.length === 0
  // Beside GGUF models a config.json is no sign of a download.
  if (missing.includes('config.json') || (!complete && ggufs.length > 0)) return models
  const facts = await factsOf(complete ? await ownFiles(folder) : await blobsOf(repo))
  const family = await familyOfFolder(folder)
  // A branch's commit is noted when all has come; until then it is what pulling the branch continues.
  const named = !complete && isCommit(name.revision) ? { ...name, revision: 'main' } : name
  return [{ name: writeModelName(named), path: folder, format: 'safetensors', family, ...facts, complete }, ...models]
}

async function ggufModel(folder: string, name: ModelName, { label, parts }: GgufChoice): Promise<StoredModel> {
  const paths = parts.map(part => join(folder, part))
  const [path = ''] = paths
  const family = await familyOfGguf(path)
  return {
    name: writeModelName({ ...name, file: label }),
    path,
    format: 'gguf',
    family,
    ...(await factsOf(paths)),
    complete: true,
  }
}

/** Each snapshot once: by the branch that leads to it, `main` before others, else by its commit. */
async function snapshotsOf(repo: string): Promise<readonly { readonly revision: string; readonly folder: string }[]> {
  const byCommit = new Map<string, string>()
  for (const ref of await filesBelow(join(repo, 'refs'))) {
    const commit = (await readFile(join(repo, 'refs', ref), 'utf8').catch(() => '')).trim()
    if (ref === 'main' || !byCommit.has(commit)) byCommit.set(commit, ref)
  }
  const commits = (await names(join(repo, 'snapshots'))).filter(isCommit)
  return commits.map(commit => ({ revision: byCommit.get(commit) ?? commit, folder: join(repo, 'snapshots', commit) }))
}

async function remove(cacheDir: string, model: StoredModel): Promise<number> {
  const id = parseModelName(model.name)?.id
  if (id === undefined) return 0
  const repo = repoFolder(cacheDir, { id })
  const locks = join(cacheDir, '.locks', basename(repo))
  for (const lock of await names(locks)) {
    if (lock.endsWith('.latentkit') && (await isHeld(join(locks, lock)))) {
      throw new HubError('download_running', `${id} is being downloaded; wait for the download, or end it first`)
    }
  }
  const others = (await modelsOf(cacheDir, id)).filter(other => !isSame(other.path, model.path))
  if (others.length === 0) {
    const { bytes } = await factsOf(await blobsOf(repo))
    await rm(repo, { recursive: true, force: true })
    await rm(locks, { recursive: true, force: true })
    return bytes
  }
  return removeFiles(repo, model)
}

/** Removes a model's files from its snapshot, the blobs that nothing else refers to, and parts of what is incomplete. */
async function removeFiles(repo: string, { path, format, complete }: StoredModel): Promise<number> {
  const [, commit = ''] = path.slice(repo.length).split(sep).filter(Boolean)
  const snapshot = join(repo, 'snapshots', commit)
  const gguf =
    format === 'gguf'
      ? (await completeGguf(snapshot)).find(m => isSame(join(snapshot, m.parts[0] ?? ''), path))
      : undefined
  const files = format === 'gguf' ? (gguf?.parts ?? []).map(part => join(snapshot, part)) : await ownFiles(snapshot)
  const blobs = new Map<string, number>()
  for (const file of files) {
    const info = await stat(file, { bigint: true }).catch(() => undefined)
    if (info !== undefined) blobs.set(`${info.dev}:${info.ino}`, Number(info.size))
    await rm(file, { force: true })
    // A folder of the repository that is empty now.
    if (dirname(file) !== snapshot) await rmdir(dirname(file)).catch(() => {})
  }
  for (const other of await filesBelow(join(repo, 'snapshots'))) {
    const info = await stat(join(repo, 'snapshots', other), { bigint: true }).catch(() => undefined)
    if (info !== undefined) blobs.delete(`${info.dev}:${info.ino}`)
  }
  await removeEmptySnapshot(repo, commit)
  const parts = (await blobsOf(repo)).filter(blob => !complete && blob.endsWith('.incomplete'))
  const { bytes } = await factsOf(parts)
  for (const part of parts) await rm(part, { force: true })
  return bytes + (await removeBlobs(repo, blobs))
}

async function removeBlobs(repo: string, unused: ReadonlyMap<string, number>): Promise<number> {
  let bytes = 0
  for (const path of await blobsOf(repo)) {
    const info = await stat(path, { bigint: true }).catch(() => undefined)
    const size = info === undefined ? undefined : unused.get(`${info.dev}:${info.ino}`)
    if (size === undefined) continue
    await rm(path, { force: true })
    bytes += size
  }
  return bytes
}

async function removeEmptySnapshot(repo: string, commit: string): Promise<void> {
  if ((await filesBelow(join(repo, 'snapshots', commit))).length > 0) return
  await rm(join(repo, 'snapshots', commit), { recursive: true, force: true })
  for (const ref of await filesBelow(join(repo, 'refs'))) {
    const path = join(repo, 'refs', ref)
    if ((await readFile(path, 'utf8').catch(() => '')).trim() === commit) await rm(path, { force: true })
  }
}

/** The files of a snapshot that are no GGUF models. */
async function ownFiles(snapshot: string): Promise<string[]> {
  const ggufs = new Set((await completeGguf(snapshot)).flatMap(({ parts }) => parts))
  return (await filesBelow(snapshot)).filter(file => !ggufs.has(file)).map(file => join(snapshot, file))
}

async function blobsOf(repo: string): Promise<string[]> {
  return (await names(join(repo, 'blobs'))).map(blob => join(repo, 'blobs', blob))
}

/** Paths of files and links below a folder, with slashes. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter(entry => !entry.isDirectory()).map(entry => join(entry.parentPath, entry.name))
  return files
    .map(file =>
      file
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    )
    .sort()
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

function isSame(a: string, b: string): boolean {
  return resolve(a) === resolve(b)
}
