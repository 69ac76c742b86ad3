import { randomUUID } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UnsupportedModelError } from '../../errors.ts'
import { makeFolder } from '../../files/make-folder.ts'
import { nearest } from '../../options/nearest.ts'
import { readShardIndex } from '../safetensors/shard-index.ts'
import { isSentenceFile } from '../sentence-transformers.ts'
import { MARIAN_FILES } from '../sentencepiece/marian.ts'
import { T5_FILES } from '../sentencepiece/t5.ts'
import { mapConcurrently } from '../source/concurrency.ts'
import { openFile } from '../source/file-source.ts'
import { INDEX_FILE, SINGLE_FILE } from '../weight-files.ts'
import { repoFolder } from './cache-layout.ts'
import { checkSpace, diskError, linkBlob, sizeOf } from './disk.ts'
import { downloadBlob } from './download-blob.ts'
import { chooseGguf, type GgufChoice, ggufModels } from './gguf-choice.ts'
import { HubClient, type RemoteFile } from './hub-client.ts'
import { HubError } from './hub-error.ts'
import { withLock } from './lock.ts'
import type { ModelName } from './model-name.ts'
import type { HubOptions } from './options.ts'

/** Files besides the weights. All but config.json are optional. */
const TEXT_FILES =
  /^(config|generation_config|chat_template|special_tokens_map|added_tokens)\.json$|^tokenizer.*\.json$/
const TEMPLATE_FILE = 'chat_template.jinja'
/** The model's card, which names its licence. */
const CARD = 'README.md'

const PARALLEL_REQUESTS = 8
const PARALLEL_DOWNLOADS = 3

/**
 * Downloads the files that latentkit needs into the hub cache and returns what to open: the snapshot's folder, or the
 * first file of a GGUF model in it. Complete files are not downloaded again, partial ones are continued. Throws HubError;
 * UnsupportedModelError if the model has neither safetensors nor GGUF files; the signal's reason if aborted.
 */
export async function downloadModel(name: ModelName, options: HubOptions): Promise<string> {
  const client = new HubClient(options)
  options.onProgress?.({ status: 'resolve', file: name.id, loaded: 0, total: 0 })
  const { commit, files } = await client.listFiles(name)
  const repo = repoFolder(options.cacheDir, name)
  const snapshot = join(repo, 'snapshots', commit)
  const fetchAll = (wanted: readonly string[]) => fetchFiles(client, name, repo, commit, wanted)
  try {
    const gguf = wantedGguf(name, files)
    await makeFolder(snapshot)
    if (gguf !== undefined) await fetchAll([...files.filter(file => file === CARD), ...gguf.parts])
    else await fetchSafetensors(client, name, snapshot, files, fetchAll)
    if (name.revision !== commit) await writeRef(join(repo, 'refs', name.revision), commit)
    return gguf === undefined ? snapshot : join(snapshot, gguf.parts[0] as string)
  } catch (error) {
    throw diskError(error, repo)
  }
}

/** The GGUF model that is named, or the repository's own where it has nothing else. */
function wantedGguf(name: ModelName, files: readonly string[]): GgufChoice | undefined {
  const hasSafetensors = files.includes(SINGLE_FILE) || files.includes(INDEX_FILE)
  if (name.file === undefined && hasSafetensors) return undefined
  const models = ggufModels(files)
  const gguf = chooseGguf(models, name.file)
  if (gguf === undefined && (name.file !== undefined || models.length > 0)) throw noSuchGguf(name, models)
  const lacks = gguf?.parts.find(part => !files.includes(part))
  if (lacks !== undefined) {
    throw new HubError('model_not_found', `${name.id} has no ${lacks}, one of ${gguf?.parts.length} files of a set`)
  }
  return gguf
}

async function fetchSafetensors(
  { endpoint, options }: HubClient,
  name: ModelName,
  snapshot: string,
  files: readonly string[],
  fetchAll: (wanted: readonly string[]) => Promise<void>,
): Promise<void> {
  if (!files.includes('config.json')) {
    throw new UnsupportedModelError(`${name.id} has no config.json on ${endpoint}; expected a transformers model`)
  }
  const sharded = !files.includes(SINGLE_FILE)
  if (sharded && !files.includes(INDEX_FILE)) throw noSafetensors(name, files)
  const hasAll = (wanted: readonly string[]) => wanted.every(file => files.includes(file))
  const pieces = hasAll(['tokenizer.json']) ? [] : [MARIAN_FILES, T5_FILES].filter(hasAll).flat()
  const texts = files.filter(
    file => TEXT_FILES.test(file) || [TEMPLATE_FILE, CARD, ...pieces].includes(file) || isSentenceFile(file),
  )
  await fetchAll(sharded ? [...texts, INDEX_FILE] : texts)
  await options.beforeWeights?.(snapshot)
  await fetchAll(sharded ? await shardNames(snapshot, name, files) : [SINGLE_FILE])
}

async function fetchFiles(
  client: HubClient,
  name: ModelName,
  repo: string,
  commit: string,
  wanted: readonly string[],
): Promise<void> {
  const infos = await mapConcurrently(wanted, PARALLEL_REQUESTS, file => client.fileInfo(name, commit, file))
  let needed = 0
  for (const file of infos) {
    const blob = blobPath(repo, file)
    const have = (await isComplete(blob, file)) ? file.size : ((await sizeOf(`${blob}.incomplete`)) ?? 0)
    needed += Math.max(0, file.size - have)
    client.options.onProgress?.({ status: 'download', file: file.name, loaded: have, total: file.size })
  }
  await checkSpace(repo, needed)
  await mapConcurrently(infos, PARALLEL_DOWNLOADS, async file => {
    await fetchFile(client, repo, file)
    await linkBlob(blobPath(repo, file), join(repo, 'snapshots', commit, file.name))
  })
}

async function fetchFile(client: HubClient, repo: string, file: RemoteFile): Promise<void> {
  const { signal, onProgress } = client.options
  const blob = blobPath(repo, file)
  if (await isComplete(blob, file)) return
  await makeFolder(dirname(blob))
  // Beside huggingface_hub's lock files, under our own name: theirs remain after release, so their existence means nothing.
  const lock = join(dirname(repo), '.locks', repo.slice(dirname(repo).length + 1), `${file.etag}.latentkit`)
  const onWait = () => onProgress?.({ status: 'download', file: file.name, loaded: 0, total: file.size })
  const work = async () => {
    if (!(await isComplete(blob, file))) await downloadBlob(client, file, blob)
  }
  await withLock(lock, work, { signal, onWait })
}

/** A blob is named by its checksum after verification, so checking the size is enough. */
async function isComplete(blob: string, file: RemoteFile): Promise<boolean> {
  return (await sizeOf(blob)) === file.size
}

function blobPath(repo: string, file: RemoteFile): string {
  return join(repo, 'blobs', file.etag)
}

/** The index's shards that the hub has. An index may name shards that no model needs; loading finds out. */
async function shardNames(snapshot: string, name: ModelName, files: readonly string[]): Promise<readonly string[]> {
  const { shards } = await readShardIndex(await openFile(join(snapshot, INDEX_FILE)))
  const there = shards.filter(shard => files.includes(shard))
  if (there.length > 0) return there
  throw new HubError('model_not_found', `${name.id} has no ${shards[0]}, which its ${INDEX_FILE} names`)
}

function noSuchGguf({ id, file }: ModelName, models: readonly GgufChoice[]): HubError {
  if (models.length === 0) {
    const todo = `the name without ":${file}" takes its safetensors`
    return new HubError('model_not_found', `${id} has no GGUF files; ${todo}`)
  }
  const labels = models.map(({ label }) => label)
  const met =
    file === undefined ? `${id} has several GGUF models` : `${id} has no one GGUF model ${JSON.stringify(file)}`
  const meant = file === undefined ? undefined : nearest(file, labels)
  const hint = meant === undefined ? `, such as ${id}:${labels[0]}` : `; did you mean ${id}:${meant}?`
  return new HubError('model_not_found', `${met}; give one of ${labels.slice(0, 40).join(', ')}${hint}`)
}

function noSafetensors({ id }: ModelName, files: readonly string[]): UnsupportedModelError {
  const weights = files.filter(file => /\.(safetensors|bin|pth?|onnx|h5|msgpack)$/.test(file)).slice(0, 3)
  const met = weights.length === 0 ? 'no weights' : weights.join(', ')
  return new UnsupportedModelError(
    `${id} has ${met}; expected ${SINGLE_FILE}, ${INDEX_FILE} with its shards, or GGUF files`,
  )
}

async function writeRef(path: string, commit: string): Promise<void> {
  await makeFolder(dirname(path))
  // Two downloads in one process may end at once.
  const made = `${path}.${randomUUID()}.new`
  await writeFile(made, commit)
  await rename(made, path)
}
