/** Models by name: loaded when they are first asked for, one at a time, and unloaded when others need their memory. */
import { nearest } from '../../../src/for-apps.ts'
import { Engine, type LoadOptions, type ModelInfo } from '../../../src/index.ts'
import { type AnswerEngine, answerEngine } from '../answers/answer.ts'
import { Failure } from '../failure.ts'
import type { NamedModel } from './names.ts'
import { bytesOf, longestTextBytes, type Need, needOf, tooLarge } from './need.ts'

export interface ModelsOptions {
  readonly models: readonly NamedModel[]
  readonly load: LoadOptions
  /** Every name is the first model's. */
  readonly anyModel: boolean
  /** Bytes that all may take; undefined: no bound. */
  readonly memoryBytes: number | undefined
  /** Seconds after which an unused model goes; undefined: never. The first one stays. */
  readonly keepAlive: number | undefined
  /** Hears what is loaded and unloaded. */
  readonly told: (what: string, fields: Readonly<Record<string, unknown>>) => void
}

/** A model in use: it stays loaded until it is released. */
export interface Lease extends AnswerEngine {
  readonly name: string
  /** `keepAlive`: seconds that it stays without a user; 0: it goes at once, below 0: it stays. Default: the server's. */
  release(keepAlive?: number): void
}

export interface ModelStatus extends NamedModel {
  readonly state: 'loaded' | 'loading' | 'unloaded'
  /** Of a loaded one. */
  readonly info: ModelInfo | null
  /** When it goes, in ms since 1970; null: it does not. */
  readonly expires: number | null
}

interface Entry extends NamedModel {
  target: AnswerEngine | null
  loading: boolean
  users: number
  lastUsed: number
  bytes: number
  /** Bytes that its cache may take; undefined: no bound. */
  cacheBytes: number | undefined
  /** Resolves when the engine that was unloaded last has given its memory back. */
  gone: Promise<void>
  timer: NodeJS.Timeout | undefined
  expires: number | null
}

/** Longer than a timer can wait is for ever. */
const MAX_SECONDS = (2 ** 31 - 1) / 1000

/**
 * For conversations with a model that has no chat template: their texts, one after the other, for the model to go on with. An answer
 * follows its question at once, as it was written, so that the next prompt finds it in the cache.
 */
const PLAIN_TEMPLATE =
  '{{ bos_token }}{% for message in messages %}{{ message.content }}' +
  "{% if message.role == 'assistant' or not loop.last and messages[loop.index].role != 'assistant' %}{{ '\\n\\n' }}{% endif %}" +
  '{% endfor %}'

export class Models {
  readonly #options: ModelsOptions
  readonly #entries: readonly Entry[]
  #turn: Promise<unknown> = Promise.resolve()
  #freed: (() => void)[] = []
  readonly #ending = new AbortController()

  constructor(options: ModelsOptions) {
    this.#options = options
    this.#entries = options.models.map(model => ({
      ...model,
      ...{ target: null, loading: false, users: 0, lastUsed: 0, bytes: 0, cacheBytes: undefined },
      ...{ gone: Promise.resolve(), timer: undefined, expires: null },
    }))
  }

  /** The model that is meant by a request; the first one where it names none. Throws Failure (404). */
  resolve(name: string | null | undefined): string {
    return this.#entry(name).name
  }

  status(): readonly ModelStatus[] {
    return this.#entries.map(statusOf)
  }

  /** Of the model that is meant. Throws Failure (404). */
  statusOf(name: string | null | undefined): ModelStatus {
    return statusOf(this.#entry(name))
  }

  /** The engine of a loaded model, without keeping it; null where it is not loaded. */
  peek(name: string): AnswerEngine | null {
    return this.#entry(name).target
  }

  /**
   * The share of its cache that texts under way hold, 0 to 1, of each loaded model by name; where the cache has no bound, of what `texts`
   * texts take that are as long as the context.
   */
  async cacheUse(texts: number): Promise<ReadonlyMap<string, number>> {
    const shares = new Map<string, number>()
    for (const { name, target, cacheBytes } of this.#entries) {
      if (!target) continue
      const most = cacheBytes ?? texts * longestTextBytes(target.engine.info)
      // Null: it is being unloaded.
      const stats = await target.engine.cacheStats().catch(() => null)
      if (stats && most > 0) shares.set(name, Math.min(1, stats.bytes / most))
    }
    return shares
  }

  /** Loads the model where it is not, after those that load before. Throws what loading throws, Failure, the signal's reason. */
  async lease(name: string | null | undefined, signal: AbortSignal): Promise<Lease> {
    const entry = this.#entry(name)
    entry.users++
    clearTimeout(entry.timer)
    entry.expires = null
    let released = false
    const release = (keepAlive = this.#options.keepAlive) => {
      if (released) return
      released = true
      entry.users--
      entry.lastUsed = performance.now()
      if (entry.users === 0) this.#idle(entry, keepAlive)
    }
    try {
      const target = entry.target ?? (await this.#inTurn(entry, signal))
      return { ...target, name: entry.name, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Unloads all; a model that is being loaded is given up. */
  async dispose(): Promise<void> {
    this.#ending.abort(new Failure('unavailable', 'The server is stopping.', { code: 'stopping' }))
    this.#wake()
    await this.#turn.catch(() => {})
    for (const entry of this.#entries) await this.#unload(entry)
  }

  #entry(name: string | null | undefined): Entry {
    const [first] = this.#entries as readonly [Entry, ...Entry[]]
    if (name === null || name === undefined || name === '' || this.#options.anyModel) return first
    // Ollama's users write a tag.
    const wanted = name.replace(/:latest$/, '')
    const found = this.#entries.find(entry => entry.name === wanted)
    if (found) return found
    const names = this.#entries.map(entry => entry.name)
    const meant = nearest(wanted, names)
    const hint = meant === undefined ? `this server has ${names.join(', ')}` : `did you mean ${meant}?`
    throw new Failure('missing', `The model ${JSON.stringify(name)} is not here; ${hint.replace(/[^?]$/, '$&.')}`, {
      code: 'model_not_found',
      param: 'model',
    })
  }

  /** One model loads at a time; who waits may leave. */
  #inTurn(entry: Entry, signal: AbortSignal): Promise<AnswerEngine> {
    const loaded = this.#turn.then(() => entry.target ?? this.#load(entry))
    this.#turn = loaded.catch(() => {})
    return new Promise((resolve, reject) => {
      const leave = () => reject(signal.reason)
      if (signal.aborted) leave()
      signal.addEventListener('abort', leave, { once: true })
      loaded.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  async #load(entry: Entry): Promise<AnswerEngine> {
    this.#checkWanted(entry)
    entry.loading = true
    const { told } = this.#options
    try {
      const { load, memoryBytes } = this.#options
      const known = memoryBytes === undefined ? null : await needOf(entry.source, load)
      if (known) await this.#makeRoom(known, entry)
      await this.#leaving()
      const begun = performance.now()
      const { signal: ending } = this.#ending
      const signal = load.signal ? AbortSignal.any([load.signal, ending]) : ending
      const options: LoadOptions = { fallbackTemplate: PLAIN_TEMPLATE, ...this.#cacheFor(known), ...load, signal }
      const engine = await Engine.load(entry.source, options)
      entry.bytes = known ? bytesOf(known) : engine.info.weightBytes
      if (!known) await this.#checkLoaded(entry, engine)
      entry.cacheBytes = options.cacheBytes
      entry.target = answerEngine(engine)
      const ms = Math.round(performance.now() - begun)
      told('model loaded', { model: entry.name, ms, bytes: entry.bytes, kernels: engine.info.kernels })
      for (const warning of engine.info.warnings) told('warning of the model', { model: entry.name, warning })
      return entry.target
    } finally {
      entry.loading = false
    }
  }

  /** So that a model takes no more than was planned for it; one that has the server to itself, all that its weights leave. */
  #cacheFor(need: Need | null): Pick<LoadOptions, 'cacheBytes'> {
    const { memoryBytes } = this.#options
    if (memoryBytes === undefined || need === null || need.context === 0) return {}
    return {
      cacheBytes: this.#entries.length === 1 ? Math.floor((memoryBytes - need.weights) / need.caches) : need.cache,
    }
  }

  /** Of a model that was not on this machine before, what it takes is known now. */
  async #checkLoaded(entry: Entry, engine: Engine): Promise<void> {
    const { load, memoryBytes } = this.#options
    if (memoryBytes === undefined) return
    try {
      const { weightBytes: weights } = engine.info
      const need = (await needOf(entry.source, load)) ?? { weights, cache: 0, context: 0, caches: 0 }
      entry.bytes = bytesOf(need)
      await this.#makeRoom(need, entry)
    } catch (error) {
      await engine.dispose()
      throw error
    }
  }

  /** Unloads what has not been used for longest, and waits for users to leave where all are in use. */
  async #makeRoom(need: Need, wanted: Entry): Promise<void> {
    const { memoryBytes } = this.#options
    if (memoryBytes === undefined) return
    if (bytesOf(need) > memoryBytes) throw tooLarge(wanted.name, need, memoryBytes)
    for (;;) {
      this.#checkWanted(wanted)
      const loaded = this.#entries.filter(entry => entry.target)
      if (loaded.reduce((sum, entry) => sum + entry.bytes, bytesOf(need)) <= memoryBytes) return
      const [oldest] = loaded.filter(entry => entry.users === 0).sort((a, b) => a.lastUsed - b.lastUsed)
      if (oldest) await this.#unload(oldest)
      else await new Promise<void>(resolve => this.#freed.push(resolve))
    }
  }

  /** Throws Failure where loading helps nobody: all who waited have left, or the server stops. */
  #checkWanted(entry: Entry): void {
    this.#ending.signal.throwIfAborted()
    if (entry.users === 0) throw new Failure('gone', 'Nobody waits for the model any more.', { code: 'aborted' })
  }

  /** What goes takes its memory until it has gone. */
  async #leaving(): Promise<void> {
    await Promise.all(this.#entries.map(({ gone }) => gone))
  }

  #wake(): void {
    for (const wake of this.#freed.splice(0)) wake()
  }

  #idle(entry: Entry, keepAlive: number | undefined): void {
    this.#wake()
    const stays = entry === this.#entries[0] && keepAlive === this.#options.keepAlive
    if (keepAlive === undefined || keepAlive < 0 || keepAlive > MAX_SECONDS || stays || !entry.target) return
    entry.expires = Date.now() + keepAlive * 1000
    entry.timer = setTimeout(() => {
      if (entry.users === 0) void this.#unload(entry)
    }, keepAlive * 1000)
    entry.timer.unref()
  }

  /** Resolves when the memory is free, also where it is being unloaded already. */
  #unload(entry: Entry): Promise<void> {
    const { target, name } = entry
    clearTimeout(entry.timer)
    entry.target = null
    entry.expires = null
    if (!target) return entry.gone
    const { told } = this.#options
    entry.gone = target.engine.dispose().then(
      () => told('model unloaded', { model: name }),
      error => told('a model did not end in order', { model: name, error: String(error) }),
    )
    return entry.gone
  }
}

function statusOf({ name, source, target, loading, expires }: Entry): ModelStatus {
  return {
    ...{ name, source, expires },
    state: target ? 'loaded' : loading ? 'loading' : 'unloaded',
    info: target?.engine.info ?? null,
  }
}
