/** The caller's side of the protocol: sends, matches answers to questions, and fails what can no longer be answered. */
import { DisposedError } from '../../errors.ts'
import { WorkerError } from '../types/errors.ts'
import type { LoadOptions, ProgressEvent } from '../types/options/load.ts'
import type { PromptProgress } from '../types/options/prompt.ts'
import type { EmbedProgress } from '../types/options/vectors.ts'
import type { Call, FromHost, OpenLink, Replies, SessionState, ToHost } from '../types/protocol.ts'
import type { ModelInfo } from '../types/results.ts'
import type { GenerationStream } from './generation.ts'
import { Thread } from './thread.ts'
import { fromWire } from './wire-errors.ts'

export interface PendingPrompt {
  readonly stream: GenerationStream
  /** Called before the stream ends. */
  ended(state: SessionState | null): void
  /** Set when the caller's signal was aborted: its reason is the outcome. */
  readonly signal: AbortSignal | undefined
  readonly onPromptProgress?: (progress: PromptProgress) => unknown
}

interface CallOptions {
  /** Ends the waiting at once, and the work as soon as the host hears of it. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: EmbedProgress) => unknown) | undefined
}

interface PendingCall {
  readonly onProgress: ((progress: EmbedProgress) => unknown) | undefined
  resolve(value: Replies[keyof Replies]): void
  reject(error: unknown): void
}

export class Client {
  readonly #thread: Thread
  readonly #prompts = new Map<number, PendingPrompt>()
  readonly #calls = new Map<number, PendingCall>()
  readonly #onProgress: ((event: ProgressEvent) => unknown) | undefined
  readonly #onNotice: ((notice: string) => unknown) | undefined
  #loading: { resolve(info: ModelInfo): void; reject(error: unknown): void } | null = null
  #lost: Error | null = null
  #closed: Error | null = null
  #nextId = 0

  constructor(open: OpenLink, { onProgress, onNotice }: Pick<LoadOptions, 'onProgress' | 'onNotice'> = {}) {
    this.#onProgress = onProgress
    this.#onNotice = onNotice
    this.#thread = new Thread(open, {
      message: message => this.#receive(message),
      lost: error => {
        this.#lost = error
        if (!this.#loading && !this.#closed) this.#tell(this.#onNotice, error.message)
        this.#failAll(error)
      },
    })
  }

  /** Which thread sessions live in now. */
  get thread(): number {
    return this.#thread.number
  }

  /** Why a session of an earlier thread can answer no more; null for one of this thread. */
  lost(thread: number): Error | null {
    if (this.#closed || thread === this.thread) return null
    const met =
      'The thread that this session lived in has ended, and the session with it; make a new one with engine.session().'
    return new WorkerError(met, { cause: this.#lost })
  }

  load(message: ToHost & { type: 'load' }): Promise<ModelInfo> {
    return new Promise((resolve, reject) => {
      this.#loading = { resolve, reject }
      this.#thread.load(message)
    })
  }

  /** The message is sent only while the engine is there. */
  post(message: ToHost): void {
    if (!this.#closed) this.#thread.post(message)
  }

  nextId(): number {
    return this.#nextId++
  }

  call<M extends Call['method']>(
    call: Call & { method: M },
    { signal, onProgress }: CallOptions = {},
  ): Promise<Replies[M]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed
      if (signal?.aborted) throw signal.reason
      const id = this.nextId()
      const aborted = () => {
        this.post({ type: 'abort', id })
        this.#thread.watch(id)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', aborted, { once: true })
      const ended = () => signal?.removeEventListener('abort', aborted)
      const answered = (value: Replies[keyof Replies]) => resolve(value as Replies[M])
      this.#calls.set(id, {
        onProgress,
        resolve: value => {
          ended()
          answered(value)
        },
        reject: error => {
          ended()
          reject(error)
        },
      })
      this.#send({ type: 'call', id, call })
      if (call.method === 'close') this.#thread.watch(id)
    })
  }

  prompt(message: ToHost & { type: 'prompt' }, pending: PendingPrompt): void {
    if (this.#closed) throw this.#closed
    this.#prompts.set(message.id, pending)
    this.#send(message)
  }

  /** Asks for the end of a prompt; a thread that does not hear of it is given up. */
  abort(id: number): void {
    if (!this.#prompts.has(id)) return
    if (this.#thread.takeBack(id)) {
      this.#failPrompt(id, new WorkerError('The prompt was given up before it began.'))
    } else {
      this.post({ type: 'abort', id })
      this.#thread.watch(id)
    }
  }

  /** Why nothing can be asked any more; null while all is well. */
  get closed(): Error | null {
    return this.#closed
  }

  /** Everything pending fails with `error`, and everything asked later. */
  close(error: Error): void {
    if (this.#closed) return
    this.#closed = error
    this.#failAll(error)
  }

  /** Cuts the line at once, without a farewell. */
  terminate(): Promise<void> {
    return this.#thread.terminate()
  }

  /** Lets the host end in order, or not, where it is stuck; then waits for its end. */
  disposeHost(): Promise<void> {
    return this.#thread.dispose()
  }

  #send(message: ToHost): void {
    this.#thread.post(message)
    this.#thread.hold(true)
  }

  #settled(): void {
    const pending = this.#loading !== null || this.#prompts.size > 0 || this.#calls.size > 0
    if (!pending) this.#thread.hold(false)
  }

  #failAll(error: Error): void {
    this.#loading?.reject(error)
    this.#loading = null
    for (const id of [...this.#prompts.keys()]) this.#failPrompt(id, error)
    for (const id of [...this.#calls.keys()]) this.#endCall(id)?.reject(error)
  }

  /** What was aborted fails with the signal's reason; and nobody need be told what they have asked for. */
  #failPrompt(id: number, error: Error): void {
    const prompt = this.#endPrompt(id, null)
    if (prompt?.signal?.aborted) prompt.stream.fail(prompt.signal.reason, { asked: true })
    else prompt?.stream.fail(error, { asked: error instanceof DisposedError })
  }

  #receive(message: FromHost): void {
    // All callers were rejected; the link stays referenced until the host exits. Its notices still count.
    if (this.#closed && message.type !== 'notice') return
    switch (message.type) {
      case 'progress':
        this.#tell(this.#onProgress, message.event)
        return
      case 'notice':
        this.#tell(this.#onNotice, message.text)
        return
      case 'reading':
        this.#tell(this.#prompts.get(message.id)?.onPromptProgress, message.progress)
        return
      case 'embedding':
        this.#tell(this.#calls.get(message.id)?.onProgress, message.progress)
        return
      case 'chunks':
        for (const { id, chunks } of message.batches) this.#prompts.get(id)?.stream.push(chunks)
        return
      case 'ready':
        this.#loading?.resolve(message.info)
        this.#loading = null
        break
      case 'failed':
        this.#loading?.reject(fromWire(message.error))
        this.#loading = null
        break
      case 'finished': {
        const { completion, state } = message
        const prompt = this.#endPrompt(message.id, state)
        if (completion.finishReason === 'aborted' && prompt?.signal?.aborted) {
          prompt.stream.fail(prompt.signal.reason, { asked: true })
        } else prompt?.stream.finish(completion)
        break
      }
      case 'stopped': {
        const error = fromWire(message.error)
        this.#endPrompt(message.id, message.state)?.stream.fail(error, { asked: error instanceof DisposedError })
        break
      }
      case 'reply':
        this.#endCall(message.id)?.resolve(message.value)
        break
      case 'refused':
        this.#endCall(message.id)?.reject(fromWire(message.error))
        break
    }
    this.#settled()
  }

  /** An error of the caller's own function ends the loading. Later there is nobody to be told of it. */
  #tell<T>(callback: ((value: T) => unknown) | undefined, value: T): void {
    const failed = (error: unknown) => {
      this.#loading?.reject(error)
      this.#loading = null
    }
    try {
      const result = callback?.(value)
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #endPrompt(id: number, state: SessionState | null): PendingPrompt | undefined {
    const pending = this.#prompts.get(id)
    this.#prompts.delete(id)
    this.#thread.unwatch(id)
    pending?.ended(state)
    return pending
  }

  #endCall(id: number): PendingCall | undefined {
    const pending = this.#calls.get(id)
    this.#calls.delete(id)
    this.#thread.unwatch(id)
    return pending
  }
}
