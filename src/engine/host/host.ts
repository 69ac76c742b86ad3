/** The half of the engine that runs in the worker: holds the model and the sessions, answers the client's messages. */
import { DisposedError, LatentkitError } from '../../errors.ts'
import { sentence } from '../../printable.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import { disposeParts, type Parts } from '../load/load-parts.ts'
import type { OuterMemory } from '../loop/memory-arbiter.ts'
import { StepLoop } from '../loop/step-loop.ts'
import { createEnginePast } from '../past/engine-past.ts'
import type { RowMover } from '../past/timeline.ts'
import type { HostChat } from '../prompt/chat.ts'
import { chatPrompt } from '../prompt/chat-prompt.ts'
import { Archive } from '../saved/archive.ts'
import type { ProgressEvent } from '../types/options/load.ts'
import type { LoadContext } from '../types/platform.ts'
import type { Call, FromHost, HostLoadOptions, Replies, SessionState, ToHost } from '../types/protocol.ts'
import type { Signs } from '../types/signs.ts'
import { buffersOf } from '../wire/buffers.ts'
import { Outbox } from '../wire/outbox.ts'
import { toWire } from '../wire/wire-errors.ts'
import { HostJobs } from './host-jobs.ts'
import type { HostReadings } from './host-readings.ts'
import { HostSession, type HostSessionContext } from './host-session.ts'
import { HostVectors } from './host-vectors.ts'

/** A `MessagePort` of Node or of the web. */
export interface HostPort {
  /** `transfer`: memory that the message takes with it. */
  postMessage(message: FromHost, transfer?: ArrayBuffer[]): void
  close(): void
}

export interface HostOptions {
  readonly port: HostPort
  /** Lets messages in: resolves after those that have arrived were received. */
  readonly pause: () => Promise<void>
  /** Where it shows that kernels compute. Default: nowhere. */
  readonly signs?: Pick<Signs, 'computing'>
  /** Finds and loads a model: what differs between Node and a browser. */
  readonly load: (source: string, options: HostLoadOptions, context: LoadContext) => Promise<Parts>
}

const DEFAULT_CHUNK = 512
/** Tokens of a step that a prompt has for itself, unless `chunkSize` says otherwise. */
export const ALONE_CHUNK = 1024
/** Milliseconds between progress events of one kind. */
const PROGRESS_INTERVAL = 50

/** All that a loaded model runs with. */
interface Running extends HostSessionContext {
  readonly jobs: HostJobs
  readonly vectors: HostVectors
  readonly readings: () => Promise<HostReadings>
}

export class Host {
  readonly #port: HostPort
  readonly #pause: () => Promise<void>
  readonly #post: HostPort['postMessage']
  readonly #signs: Pick<Signs, 'computing'>
  readonly #load: HostOptions['load']
  readonly #sessions = new Map<number, HostSession>()
  /** Why a session could not be made: nothing answers to `open`, so its prompts are told. */
  readonly #unmade = new Map<number, unknown>()
  /** Sessions that come from files now. */
  readonly #restoring = new Set<Promise<SessionState>>()
  readonly #loading = new AbortController()
  #running: Running | null = null

  constructor({ port, pause, load, signs = { computing: false } }: HostOptions) {
    this.#signs = signs
    this.#port = port
    this.#post = port.postMessage.bind(port)
    this.#pause = pause
    this.#load = load
  }

  receive(message: ToHost): void {
    switch (message.type) {
      case 'load':
        void this.#begin(message)
        break
      case 'open':
        this.#open(message)
        break
      case 'prompt':
        this.#session(message.session, message.id)?.prompt(message)
        break
      case 'grammar':
        this.#sessions.get(message.session)?.hold(message.id, message.source)
        break
      case 'abort':
        for (const session of this.#sessions.values()) session.abort(message.id)
        this.#running?.jobs.abort(message.id)
        break
      case 'call':
        void this.#answer(message.id, message.call)
        break
      case 'ping':
        break
      case 'dispose':
        void this.#dispose()
        break
    }
  }

  async #begin({ source, options }: ToHost & { type: 'load' }): Promise<void> {
    try {
      const report = throttled(event => this.#post({ type: 'progress', event }))
      const notice = (text: string) => this.#post({ type: 'notice', text: sentence(text) })
      const parts = await this.#load(source, options, { report, notice, signal: this.#loading.signal })
      if (this.#loading.signal.aborted) {
        disposeParts(parts)
        return
      }
      const post = this.#post
      const now = performance.now.bind(performance)
      const outbox = new Outbox(post, now)
      const { chunkSize = DEFAULT_CHUNK } = options
      const aloneSize = options.chunkSize ?? ALONE_CHUNK
      const memory: OuterMemory = {
        idle: () => [...this.#sessions.values()].filter(session => session.isIdle),
        releasing: () => past.disk?.flush() ?? archive.flush() ?? this.#preparing(),
      }
      const timing = { pause: this.#pause, signs: this.#signs, now }
      const mayBlock = parts.masks?.mayBlock ?? false
      const loop = new StepLoop({ model: parts.model, chunkSize, aloneSize, outbox, memory, mayBlock, ...timing })
      const mover: RowMover = { shift: (...rows) => loop.computed(() => parts.model.shift(...rows)) }
      const past = createEnginePast(parts.model, parts.store, mover)
      const archive: Archive = new Archive({ parts, past, makeRoom: () => loop.makeRoom() })
      const jobs = new HostJobs({ loop, pause: this.#pause, now })
      const vectors = new HostVectors({ parts, jobs, now, post })
      const common = { parts, chat: lazyChat(parts), loop, outbox, past, archive, now, post }
      this.#running = { ...common, jobs, vectors, readings: lazyReadings(parts) }
      report({ status: 'ready', file: source, loaded: parts.info.weightBytes, total: parts.info.weightBytes })
      this.#post({ type: 'ready', info: parts.info })
    } catch (error) {
      this.#post({ type: 'failed', error: toWire(error) })
    }
  }

  #open({ session, options }: ToHost & { type: 'open' }): void {
    if (!this.#running) return
    try {
      this.#sessions.set(session, HostSession.open(this.#running, options))
    } catch (error) {
      this.#unmade.set(session, error)
    }
  }

  /** Resolves when a prompt that is being prepared may be in the loop, or have failed; null: there is none. */
  #preparing(): Promise<unknown> | null {
    const preparing = [...this.#sessions.values()].map(session => session.preparing).filter(work => work !== null)
    return preparing.length > 0 ? Promise.race(preparing) : null
  }

  /** Answers for itself when the session is gone. */
  #session(id: number, prompt: number): HostSession | undefined {
    const session = this.#sessions.get(id)
    if (!session) {
      const error = this.#unmade.get(id) ?? new DisposedError('session')
      this.#post({ type: 'stopped', id: prompt, error: toWire(error), state: null })
    }
    return session
  }

  #living(id: number): HostSession {
    const session = this.#sessions.get(id)
    if (!session) throw new DisposedError('session')
    return session
  }

  async #answer(id: number, call: Call): Promise<void> {
    try {
      const value = await this.#call(id, call)
      // What is read of a text can be large, and nobody here holds it.
      if (call.method === 'inspect') this.#post({ type: 'reply', id, value }, buffersOf(value))
      else this.#post({ type: 'reply', id, value })
    } catch (error) {
      this.#post({ type: 'refused', id, error: toWire(error) })
    }
  }

  async #call(id: number, call: Call): Promise<Replies[Call['method']]> {
    if (!this.#running) throw new LatentkitError('not_loaded', 'No model is loaded')
    const { tokenizer } = this.#running.parts
    const { vectors, jobs, readings } = this.#running
    switch (call.method) {
      case 'tokenize':
        return tokenized(tokenizer, call)
      case 'detokenize':
        return tokenizer.decode(call.tokenIds, call.options)
      case 'tokenBytes':
        return call.tokenIds.map(id => (id < tokenizer.vocabSize ? tokenizer.tokenBytes(id) : new Uint8Array(0)))
      case 'template': {
        const { tools, templateVariables: variables, continueFinalMessage = false } = call.options
        const { addGenerationPrompt = !continueFinalMessage } = call.options
        const given = { ...(tools && { tools }), ...(variables && { variables }), continueFinalMessage }
        return tokenizer.applyChatTemplate(call.messages, { addGenerationPrompt, refusePrintedParts: true, ...given })
      }
      case 'countChat':
      case 'chat': {
        const salt = call.session === undefined ? '' : this.#living(call.session).salt
        const chat = await this.#running.chat()
        const prompt = chatPrompt(call.messages, call.conversation, call.variables, salt)
        return call.method === 'chat' ? chat.prepare(prompt) : chat.count(prompt)
      }
      case 'check':
        return this.#running.parts.masks.check(call.demand, call.text)
      case 'readSchema':
        return this.#running.parts.masks.read(call.schema)
      case 'cache': {
        const { model, draft, prediction } = this.#running.parts
        const { bytes, keptBytes, allocatedBytes } = model.pool
        const drafting = [draft, prediction].reduce((sum, drafts) => sum + (drafts?.model.pool.allocatedBytes ?? 0), 0)
        return { bytes, keptBytes, allocatedBytes, draftBytes: drafting }
      }
      case 'fingerprint':
        return this.#running.parts.fingerprint()
      case 'config':
        return this.#running.parts.config
      case 'embed':
        return vectors.embed(id, call)
      case 'rerank':
        return vectors.rerank(id, call)
      case 'inspect':
        // A job from the beginning: an abort finds it while the code is loaded.
        return jobs.run(id, async work => (await readings()).answer(call, work))
      case 'reset':
        return this.#living(call.session).reset()
      case 'drop':
        return this.#living(call.session).drop(call.from, call.to)
      case 'fork': {
        const session = await this.#living(call.session).fork()
        this.#sessions.set(call.as, session)
        return session.state()
      }
      case 'save':
        return this.#living(call.session).save(call.file, call.options)
      case 'restore': {
        const restoring = this.#restore(this.#running, call).finally(() => this.#restoring.delete(restoring))
        this.#restoring.add(restoring)
        return restoring
      }
      case 'close': {
        const session = this.#sessions.get(call.session)
        this.#sessions.delete(call.session)
        this.#unmade.delete(call.session)
        await session?.close(new DisposedError('session'))
        return null
      }
    }
  }

  async #restore(running: HostSessionContext, call: Call & { method: 'restore' }): Promise<SessionState> {
    const session = new HostSession(running, await running.archive.restore(call.file, call.options))
    if (this.#running !== running) {
      const error = new DisposedError('engine')
      await session.close(error)
      throw error
    }
    this.#sessions.set(call.as, session)
    return session.state()
  }

  async #dispose(): Promise<void> {
    this.#loading.abort(new DisposedError('engine'))
    const error = new DisposedError('engine')
    await Promise.all([...this.#sessions.values()].map(session => session.close(error)))
    this.#sessions.clear()
    if (this.#running) {
      const { loop, parts, past, archive, jobs } = this.#running
      this.#running = null
      await loop.idle()
      await jobs.end(error)
      await past.disk?.flush()
      await archive.flush()
      await Promise.allSettled(this.#restoring)
      await parts.masks?.dispose()
      disposeParts(parts)
    }
    this.#port.close()
  }
}

/** Not every tensor is worth a message; the first and last of a kind are, and what begins or ends a file. */
function throttled(send: (event: ProgressEvent) => void): (event: ProgressEvent) => void {
  let status = ''
  let sent = 0
  return event => {
    const now = performance.now()
    if (event.status === status && event.loaded < event.total && now - sent < PROGRESS_INTERVAL) return
    status = event.status
    sent = now
    send(event)
  }
}

/** Formats and grammars of families are loaded with the first conversation: most engines see none. */
function lazyChat(parts: Parts): HostSessionContext['chat'] {
  let chat: Promise<HostChat> | null = null
  return () => {
    chat ??= import('../prompt/chat.ts').then(({ HostChat }) => new HostChat(parts))
    return chat
  }
}

/** What looks into texts is loaded when somebody does. */
function lazyReadings(parts: Parts): Running['readings'] {
  let readings: Promise<HostReadings> | null = null
  return () => {
    readings ??= import('./host-readings.ts').then(({ HostReadings }) => new HostReadings({ parts }))
    return readings
  }
}

/** With special tokens it is what the first prompt of a session would be: some tokenizers leave its first token to the caller. */
function tokenized(tokenizer: Tokenizer, { text, options }: Call & { readonly method: 'tokenize' }): readonly number[] {
  const { addSpecialTokens = false, ...how } = options
  const ids = tokenizer.encode(text, { ...how, addSpecialTokens })
  const { startsWithBos, bosId } = tokenizer
  return addSpecialTokens && startsWithBos && bosId !== undefined && ids[0] !== bosId ? [bosId, ...ids] : ids
}
