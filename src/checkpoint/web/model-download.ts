/** The download of a model in a browser: small files first, headers before weights, kept where there is room. */
import { OutOfMemoryError } from '../../errors.ts'
import { freeBytes, isInUse, isMissing, isQuotaError, type OpfsFolder } from '../../opfs/opfs.ts'
import { HubError, TransientError } from '../hub/hub-error.ts'
import { readShardIndex } from '../safetensors/shard-index.ts'
import { type CheckpointFiles, filesFrom } from '../source/checkpoint-files.ts'
import { mapConcurrently } from '../source/concurrency.ts'
import { memorySource } from '../source/memory-source.ts'
import { INDEX_FILE } from '../weight-files.ts'
import { ask, downloadFile, type FetchOptions, type RemoteFile } from './download-file.ts'
import { FileHead } from './file-head.ts'
import { type FileSink, forgetFile, KeptFile, keptFile, MemoryFile } from './file-sink.ts'
import { hasChanged } from './has-changed.ts'
import { kindOf, type ModelRecord, writeRecord } from './kept-models.ts'
import type { RemoteModel } from './remote-model.ts'

export interface WebModelOptions extends FetchOptions {
  /** Where relative addresses begin. */
  readonly base: string
  /** Keep what is downloaded, and use what is kept. */
  readonly keep: boolean
  /** Never use the network. */
  readonly offline?: boolean | undefined
  /** Default https://huggingface.co. */
  readonly endpoint?: string | undefined
  readonly report: (event: { status: 'resolve' | 'download'; file: string; loaded: number; total: number }) => void
  readonly notice: (text: string) => void
  /** May refuse a model by its small files, before its weights come. */
  readonly beforeWeights: (files: CheckpointFiles) => Promise<void>
  /** The same by the headers of its weights, too: it reads beginnings of files that are not there yet. */
  readonly byHeaders: (files: CheckpointFiles) => Promise<void>
  /** Whether weights change their type as they are loaded, and so their size. */
  readonly converts: boolean
  /** Bytes of weights that WebAssembly can address here: more cannot be loaded. */
  readonly addressable: number
}

/** Small files that are asked for at once. */
export const PARALLEL_TEXTS = 6
const PARALLEL_WEIGHTS = 2

interface FileContent {
  readonly name: string
  readonly content: Blob
}

/** What is downloaded, and where to. */
interface Wanted {
  /** As the user called it. */
  readonly source: string
  /** The same with relative addresses written out. */
  readonly key: string
  readonly model: RemoteModel
  /** Null: nothing is kept. */
  readonly folder: OpfsFolder | null
  /** Whether its addresses may have other files later; those of the hub name a commit. */
  readonly mayChange: boolean
}

/** One download of a model. */
export class Download {
  readonly #source: string
  readonly #key: string
  readonly #model: RemoteModel
  readonly #mayChange: boolean
  readonly #options: WebModelOptions
  /** Ends what else is under way when a part fails. */
  readonly #ended = new AbortController()
  readonly #loading = new Set<Promise<unknown>>()
  /** Null: nothing is kept, or nothing any more. */
  #folder: OpfsFolder | null

  constructor({ source, key, model, folder, mayChange }: Wanted, options: WebModelOptions) {
    this.#source = source
    this.#key = key
    this.#model = model
    this.#folder = folder
    this.#mayChange = mayChange
    this.#options = { ...options, signal: AbortSignal.any([options.signal, this.#ended.signal]) }
  }

  /** When it fails, no file is open any more: another tab may be waiting for them. */
  async run(): Promise<CheckpointFiles> {
    try {
      return await this.#run()
    } catch (error) {
      this.#ended.abort(error)
      await Promise.allSettled(this.#loading)
      throw error
    }
  }

  async #run(): Promise<CheckpointFiles> {
    await this.#record({ source: this.#key, files: null, used: null })
    const { texts, required } = this.#model
    const read = await mapConcurrently(texts, PARALLEL_TEXTS, file => this.#text(file, required.has(file.name)))
    const there = read.filter(file => file !== null)
    const index = there.find(({ name }) => name === INDEX_FILE)
    const shards = index ? (await readShardIndex(memorySource(INDEX_FILE, index.content))).shards : null
    await this.#options.beforeWeights(this.#files(there))
    const weights = await mapConcurrently(this.#model.weights(shards), PARALLEL_TEXTS, file => this.#sized(file))
    await this.#checkRoom(weights)
    const heads = await this.#heads(there, weights)
    const loaded = await mapConcurrently(weights, PARALLEL_WEIGHTS, (file, i) => {
      const head = heads[i]
      return this.#file(head ? { ...file, size: head.size } : file, head)
    })
    const all = [...there, ...loaded]
    const files = all.map(({ name }) => name)
    await this.#record({ source: this.#key, files, ...kindOf(this.#model), used: Date.now() })
    return this.#files(all)
  }

  async #record(record: ModelRecord): Promise<void> {
    if (!this.#folder) return
    try {
      await writeRecord(this.#folder, record)
    } catch (error) {
      this.#keepNoMore(whyNotKept(error))
    }
  }

  #files(files: readonly FileContent[]): CheckpointFiles {
    const sources = files.map(({ name, content }) => memorySource(name, content))
    return { ...filesFrom(this.#source, sources), ...kindOf(this.#model) }
  }

  /** Null: there is none, and none is needed. */
  async #text(file: RemoteFile, required: boolean) {
    try {
      const read = await this.#file(file)
      // Servers of single-page programs answer with their page for whatever they do not have.
      if (!/^\s*<(!doctype|html)/i.test(await read.content.slice(0, 64).text())) return read
      if (this.#folder) await forgetFile(this.#folder, file.name)
    } catch (error) {
      if (!(error instanceof HubError && error.code === 'model_not_found') || required) throw error
    }
    if (required) throw new HubError('model_not_found', `${file.url} is a web page; expected a file of the model`)
    return null
  }

  /** A file's size, where the server says it before the download. */
  async #sized(file: RemoteFile): Promise<RemoteFile> {
    if (file.size !== null || !/^https?:/.test(file.url)) return file
    try {
      const headers = await ask(file.url, 'HEAD', this.#options, response => response.headers)
      const size = Number(headers.get('content-length') ?? Number.NaN)
      if (!Number.isSafeInteger(size) || size <= 0 || headers.has('content-encoding')) return file
      return { ...file, size }
    } catch (error) {
      this.#options.signal.throwIfAborted()
      // Some servers refuse HEAD; a file that is not there fails at once.
      if (error instanceof HubError && error.code === 'model_not_found') throw error
      return file
    }
  }

  /** Refuses what cannot be loaded; what cannot be kept is loaded all the same. */
  async #checkRoom(weights: readonly RemoteFile[]): Promise<void> {
    const total = weights.reduce((n, { size }) => n + (size ?? 0), 0)
    const { addressable, converts } = this.#options
    if (total >= addressable && !converts) {
      throw new OutOfMemoryError(
        `${this.#source} has ${gigabytes(total)} GiB of weights; WebAssembly's memory ends at ${addressable / 2 ** 30} GiB here. Take a smaller model or ` +
          'a smaller quantisation, or run this one in Node (docs/browser.md).',
      )
    }
    if (!this.#folder) return
    const free = await freeBytes()
    const folder = this.#folder
    const kept = await Promise.all(weights.map(({ name }) => keptFile(folder, name)))
    const needed = weights.reduce((n, { size }, i) => n + (kept[i] ? 0 : (size ?? 0)), 0)
    if (needed > free) this.#keepNoMore(`${gigabytes(needed)} GiB are needed and the browser gives ${gigabytes(free)}`)
  }

  /** Refuses what is no model that runs here; gives what was read for that. */
  async #heads(there: readonly FileContent[], weights: readonly RemoteFile[]): Promise<readonly (FileHead | null)[]> {
    const { signal, byHeaders } = this.#options
    try {
      const open = async (file: RemoteFile) => (/^https?:/.test(file.url) ? FileHead.open(file, this.#options) : null)
      const heads = await mapConcurrently(weights, PARALLEL_TEXTS, open)
      const known = heads.filter(head => head !== null)
      const small = there.map(({ name, content }) => memorySource(name, content))
      if (known.length === heads.length) {
        await byHeaders({ ...filesFrom(this.#source, [...small, ...known]), ...kindOf(this.#model) })
      }
      return heads
    } catch (error) {
      signal.throwIfAborted()
      // The download begins anew, and again; loading checks once more.
      if (error instanceof TransientError) return []
      throw error
    }
  }

  #keepNoMore(why: string): void {
    if (!this.#folder) return
    this.#folder = null
    this.#options.notice(`${this.#source} is not kept for the next time: ${why}`)
  }

  #file(file: RemoteFile, head?: FileHead | null): Promise<FileContent> {
    const loading = this.#load(file, head).finally(() => this.#loading.delete(loading))
    this.#loading.add(loading)
    return loading
  }

  async #load(file: RemoteFile, head?: FileHead | null): Promise<FileContent> {
    this.#options.signal.throwIfAborted()
    const folder = this.#folder
    if (!folder) return this.#fetch(file, new MemoryFile(), head)
    const content = await this.#kept(folder, file)
    if (content) return { name: file.name, content }
    try {
      return await this.#fetch(file, await KeptFile.open(folder, file.name), head)
    } catch (error) {
      this.#keepNoMore(whyNotKept(error))
      if (isQuotaError(error)) await forgetFile(folder, file.name)
      return this.#fetch(file, new MemoryFile(), head)
    }
  }

  /** A file that an earlier download has brought, whole and as it is now: files of two versions are no model. */
  async #kept(folder: OpfsFolder, { name, url, size }: RemoteFile): Promise<Blob | null> {
    const kept = await keptFile(folder, name)
    if (kept?.version.url !== url || (size !== null && kept.file.size !== size)) return null
    return this.#mayChange && (await hasChanged(kept.version, this.#options)) ? null : kept.file
  }

  async #fetch(file: RemoteFile, sink: FileSink, head?: FileHead | null) {
    const { report } = this.#options
    const progress = (loaded: number, total: number) => {
      report({ status: 'download', file: file.name, loaded, total: file.size ?? total })
    }
    try {
      await head?.giveTo(sink)
      await downloadFile(file, sink, this.#options, progress)
    } catch (error) {
      if (!(error instanceof TransientError)) throw error
      throw new HubError('download_failed', error.message, { cause: error })
    } finally {
      await sink.close().catch(() => {})
    }
    return { name: file.name, content: await sink.content() }
  }
}

/** Of an error that keeps a file from being kept, and no other thing from going on; others are thrown. */
function whyNotKept(error: unknown): string {
  if (isQuotaError(error)) return 'the browser has no room left'
  if (isInUse(error)) return 'another worker has its files open'
  if (isMissing(error)) return 'its folder was removed'
  throw error
}

const gigabytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1)
