/** The caller's side of the protocol: sends, matches answers to questions, and fails what can no longer be answered. */
import type { GenerationStream } from './generation.ts'
import type { LoadOptions, ProgressEvent } from './options.ts'
import type { Call, FromHost, HostLink, OpenLink, Replies, SessionState, ToHost } from './protocol.ts'
import type { ModelInfo } from './results.ts'
import { fromWire } from './wire-errors.ts'

export interface PendingPrompt {
  readonly stream: GenerationStream
  /** Called before the stream ends. */
  ended(state: SessionState | null): void
  /** Set when the caller's signal was aborted: its reason is the outcome. */
  readonly signal: AbortSignal | undefined
}

interface PendingCall {
  resolve(value: Replies[keyof Replies]): void
  reject(error: unknown): void
}

export class Client {
  readonly #link: HostLink
  readonly #prompts = new Map<number, PendingPrompt>()
  readonly #calls = new Map<number, PendingCall>()
  readonly #onProgress: ((event: ProgressEvent) => void) | undefined
  readonly #onNotice: ((notice: string) => void) | undefined
  #loading: { resolve(info: ModelInfo): void; reject(error: unknown): void } | null = null
  #closed: Error | null = null
  #nextId = 0

  constructor(open: OpenLink, { onProgress, onNotice }: Pick<LoadOptions, 'onProgress' | 'onNotice'> = {}) {
    this.#onProgress = onProgress
    this.#onNotice = onNotice
    this.#link = open({
      message: message => this.#receive(message),
      closed: error => this.close(error ?? new Error('The host has ended')),
    })
  }

  load(message: ToHost & { type: 'load' }): Promise<ModelInfo> {
    return new Promise((resolve, reject) => {
      this.#loading = { resolve, reject }
      this.#send(message)
    })
  }

  /** The message is sent only while the host is there. */
  post(message: ToHost): void {
    if (!this.#closed) this.#link.post(message)
  }

  nextId(): number {
    return this.#nextId++
  }

  call<M extends Call['method']>(call: Call & { method: M }): Promise<Replies[M]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed)
        return
      }
      const id = this.nextId()
      this.#calls.set(id, { resolve: value => resolve(value as Replies[M]), reject })
      try {
        this.#send({ type: 'call', id, call })
      } catch (error) {
        this.#calls.delete(id)
        reject(error)
      }
    })
  }

  prompt(message: ToHost & { type: 'prompt' }, pending: PendingPrompt): void {
    if (this.#closed) {
      pending.stream.fail(this.#closed)
      return
    }
    this.#prompts.set(message.id, pending)
    try {
      this.#send(message)
    } catch (error) {
      this.#endPrompt(message.id, null)?.stream.fail(error)
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
    this.#loading?.reject(error)
    this.#loading = null
    for (const [id] of this.#prompts) this.#endPrompt(id, null)?.stream.fail(error)
    for (const { reject } of this.#calls.values()) reject(error)
    this.#calls.clear()
  }

  /** Cuts the line at once, without a farewell. */
  terminate(): Promise<void> {
    return this.#link.terminate()
  }

  /** Lets the host end in order, then waits for its end. */
  async disposeHost(): Promise<void> {
    this.#link.hold(true)
    this.#link.post({ type: 'dispose' })
    await this.#link.ended()
  }

  #send(message: ToHost): void {
    this.#link.hold(true)
    try {
      this.#link.post(message)
    } catch (error) {
      this.#settled()
      throw error
    }
  }

  #settled(): void {
    const pending = this.#loading !== null || this.#prompts.size > 0 || this.#calls.size > 0
    if (!pending) this.#link.hold(false)
  }

  #receive(message: FromHost): void {
    // Everybody has been told; while the host ends, the line is held.
    if (this.#closed) return
    switch (message.type) {
      case 'progress':
        this.#onProgress?.(message.event)
        return
      case 'notice':
        this.#onNotice?.(message.text)
        return
      case 'chunks':
        for (const { id, chunks } of message.of) this.#prompts.get(id)?.stream.push(chunks)
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
        const prompt = this.#endPrompt(message.id, message.state)
        if (message.completion.finishReason === 'aborted' && prompt?.signal?.aborted) {
          prompt.stream.fail(prompt.signal.reason)
        } else {
          prompt?.stream.finish(message.completion)
        }
        break
      }
      case 'stopped':
        this.#endPrompt(message.id, message.state)?.stream.fail(fromWire(message.error))
        break
      case 'reply':
        this.#endCall(message.id)?.resolve(message.value)
        break
      case 'refused':
        this.#endCall(message.id)?.reject(fromWire(message.error))
        break
    }
    this.#settled()
  }

  #endPrompt(id: number, state: SessionState | null): PendingPrompt | undefined {
    const pending = this.#prompts.get(id)
    this.#prompts.delete(id)
    pending?.ended(state)
    return pending
  }

  #endCall(id: number): PendingCall | undefined {
    const pending = this.#calls.get(id)
    this.#calls.delete(id)
    return pending
  }
}
