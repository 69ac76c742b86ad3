/** Which files a model has: in a repository of the hub, or at an address, where a server lists nothing. */
import { OptionError, UnsupportedModelError } from '../../errors.ts'
import { isGgufName } from '../gguf/find-gguf.ts'
import { partNames } from '../gguf/part-names.ts'
import { chooseGguf, ggufModels } from '../hub/gguf-choice.ts'
import { HubError, TransientError } from '../hub/hub-error.ts'
import { isRepoFile, type ModelName, parseModelName } from '../hub/model-name.ts'
import { isModuleConfig, isSentenceFile, MODULES_FILE } from '../sentence-transformers.ts'
import { INDEX_FILE, isShardName, SINGLE_FILE } from '../weight-files.ts'
import { ask, type FetchOptions, pause, type RemoteFile } from './download-file.ts'

/** A model's files before they are downloaded. */
export interface RemoteModel {
  /** Files beside the weights that are there, or may be. */
  readonly texts: readonly RemoteFile[]
  /** Which of `texts` must be there; the others may be absent. */
  readonly required: ReadonlySet<string>
  /** Files of weights, once the texts are there: an index names its shards. */
  weights(index: readonly string[] | null): readonly RemoteFile[]
  /** The file that is the model, where it is one of GGUF. */
  readonly gguf?: string
  /** The same for safetensors. */
  readonly safetensors?: string
}

const DEFAULT_ENDPOINT = 'https://huggingface.co'

/** Files that a folder of safetensors may have beside the weights, without those of its modules. */
const TEXTS = [
  ...['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'],
  ...['chat_template.jinja', 'chat_template.json', MODULES_FILE, 'sentence_bert_config.json', '1_Pooling/config.json'],
]

/** Whether an address is the hub's: its token goes nowhere else. */
export function isOfHub(url: URL, endpoint: string = DEFAULT_ENDPOINT): boolean {
  return URL.canParse(endpoint) && new URL(endpoint).origin === url.origin
}

/** What a source means: a name on the hub, or an address; undefined if it is neither. Relative addresses begin at `base`. */
export function parseSource(source: string, base: string): ModelName | URL | undefined {
  const name = parseModelName(source)
  if (/^(https?:|blob:|\.{0,2}\/)/i.test(source)) {
    // The hub's own addresses are names with a host.
    if (name && !/^\.{0,2}\//.test(source)) return name
    return URL.canParse(source, base) ? new URL(source, base) : undefined
  }
  return name
}

/** Throws what the network does; OptionError for a source that is neither a name nor an address. */
export function unknownSource(source: string): OptionError {
  return new OptionError(
    `${JSON.stringify(source)} is neither a model on the hub nor an address; expected owner/name, https://…, /path/model.gguf, ` +
      './folder/, or files (File, FileList, a folder handle)',
  )
}

/** A model at an address: a GGUF file, with the rest of its set; a safetensors file or a folder, with what is beside it. */
export function modelAt(url: URL): RemoteModel {
  const path = url.pathname
  const name = unescaped(path.slice(path.lastIndexOf('/') + 1))
  const beside = (file: string, small: boolean): RemoteFile => {
    const encoded = file.split('/').map(encodeURIComponent).join('/')
    const target = new URL(encoded, name === '' || !named ? folderOf(url) : url)
    target.search = url.search
    return { name: file, url: target.href, size: null, sha256: null, small }
  }
  const isBlob = url.protocol === 'blob:'
  const named = isGgufName(name) || /\.safetensors$/i.test(name)
  if (isBlob || isGgufName(name)) {
    const weights = isBlob
      ? [{ name: 'model.gguf', url: url.href, size: null, sha256: null, small: false }]
      : partNames(name).map(part => beside(part, false))
    return { texts: [], required: new Set(), weights: () => weights, gguf: isBlob ? 'model.gguf' : name }
  }
  // A shard stands for its whole set.
  const single = named && !isShardName(name) ? name : undefined
  const texts = [...TEXTS, ...(single === undefined ? [INDEX_FILE] : [])].map(text => beside(text, true))
  return {
    texts,
    required: new Set(['config.json']),
    weights: index => (index ?? [single ?? SINGLE_FILE]).map(file => beside(file, false)),
    ...(single !== undefined && { safetensors: single }),
  }
}

/** A part of an address as a name; as it is where its `%` are no escapes. */
export function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function folderOf(url: URL): URL {
  const folder = new URL(url)
  if (!folder.pathname.endsWith('/')) folder.pathname += '/'
  return folder
}

/** A model of the hub, as it lists it: with sizes and checksums. */
export async function modelOnHub(
  name: ModelName,
  endpoint: string = DEFAULT_ENDPOINT,
  options: FetchOptions,
): Promise<RemoteModel> {
  const root = endpoint.replace(/\/+$/, '')
  const { commit, files } = await listRepository(root, name, options)
  const remote = (file: Sibling, small: boolean): RemoteFile => ({
    name: file.rfilename,
    url: `${root}/${name.id}/resolve/${commit}/${file.rfilename.split('/').map(encodeURIComponent).join('/')}`,
    size: file.lfs?.size ?? file.size ?? null,
    sha256: file.lfs?.sha256 ?? file.lfs?.oid ?? null,
    small,
  })
  const byName = new Map(files.map(file => [file.rfilename, file]))
  const named = (file: string): RemoteFile => {
    const found = byName.get(file)
    if (found) return remote(found, false)
    throw new HubError('model_not_found', `${name.id} has no ${file}, which belongs to its weights`)
  }
  const hasSafetensors = byName.has(SINGLE_FILE) || byName.has(INDEX_FILE)
  if (name.file !== undefined || !hasSafetensors) {
    const models = ggufModels(byName.keys())
    const gguf = chooseGguf(models, name.file)
    if (gguf === undefined) throw noGguf(name, root, [...byName.keys()], models)
    const weights = gguf.parts.map(named)
    return { texts: [], required: new Set(), weights: () => weights, gguf: gguf.parts[0] as string }
  }
  if (!byName.has('config.json')) {
    throw new UnsupportedModelError(`${name.id} has no config.json on ${root}; expected a transformers model`)
  }
  const isText = (file: string) => TEXTS.includes(file) || isSentenceFile(file) || file === INDEX_FILE
  const texts = files.filter(f => isText(f.rfilename)).map(file => remote(file, true))
  return {
    texts,
    required: new Set(texts.map(text => text.name)),
    weights: index => (index ?? [SINGLE_FILE]).filter(file => index === null || byName.has(file)).map(named),
  }
}

interface Sibling {
  readonly rfilename: string
  readonly size?: number
  readonly lfs?: { readonly sha256?: string; readonly oid?: string; readonly size?: number }
}

async function listRepository(root: string, { id, revision }: ModelName, options: FetchOptions) {
  const url = `${root}/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`
  const { signal, retryDelay = 500 } = options
  const list = () =>
    ask(url, 'GET', options, response =>
      response.text().catch((error: Error) => {
        throw new TransientError(error.message)
      }),
    )
  const text = await list().catch(async (error: unknown) => {
    signal.throwIfAborted()
    if (!(error instanceof TransientError)) throw error
    await pause(Math.max(retryDelay, error.retryAfter), signal)
    return list().catch((again: unknown) => {
      if (!(again instanceof TransientError)) throw again
      throw new HubError('hub_unreachable', `${root} cannot be reached (${again.message})`, { cause: again })
    })
  })
  try {
    const { sha, siblings } = JSON.parse(text) as { sha: string; siblings: Sibling[] }
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new TypeError(`the commit is ${String(sha)}`)
    const wanted = (f: string) => isRepoFile(f) && (!f.includes('/') || isGgufName(f) || isModuleConfig(f))
    return { commit: sha, files: siblings.filter(({ rfilename }) => wanted(rfilename)).map(checkedSibling) }
  } catch (error) {
    throw new HubError('download_failed', `${url} did not answer like a hub: ${(error as Error).message}`)
  }
}

/** Without what is not of its kind: a checksum of another form would never match. */
function checkedSibling({ rfilename, size, lfs }: Sibling): Sibling {
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0
  const sha256 = [lfs?.sha256, lfs?.oid].find(digest => /^[0-9a-f]{64}$/.test(digest ?? ''))
  return {
    rfilename,
    ...(isSize(size) && { size }),
    ...(lfs && { lfs: { ...(sha256 && { sha256 }), ...(isSize(lfs.size) && { size: lfs.size }) } }),
  }
}

function noGguf(
  { id, file }: ModelName,
  root: string,
  files: readonly string[],
  models: ReturnType<typeof ggufModels>,
): Error {
  if (models.length === 0) {
    const weights = files.filter(name => /\.(safetensors|bin|pth?|onnx|h5)$/.test(name)).slice(0, 3)
    const met = weights.length === 0 ? 'no weights' : weights.join(', ')
    return new UnsupportedModelError(
      `${id} has ${met} on ${root}; expected ${SINGLE_FILE}, ${INDEX_FILE} or GGUF files`,
    )
  }
  const met = file === undefined ? 'several GGUF models' : `no one GGUF model ${JSON.stringify(file)}`
  const labels = models.map(({ label }) => label)
  return new HubError(
    'model_not_found',
    `${id} has ${met}; give one of ${labels.slice(0, 40).join(', ')}, such as ${id}:${labels[0]}`,
  )
}
