import { DisposedError } from '../errors.ts'
import type { Client } from './client.ts'
import { GenerationStream } from './generation.ts'
import type { SessionState } from './protocol.ts'
import type { CacheStats, Generation, Message, PromptOptions, SessionOptions } from './types.ts'

/**
 * One timeline of tokens and what the model remembers of them. Prompts of one session run one after the other, those
 * of several sessions together; the results are the same bits either way.
 */
export class Session {
  readonly #client: Client
  readonly #id: number
  readonly #tokens: number[] = []
  #cache: CacheStats = { tokens: 0, usedBytes: 0, bytes: 0 }
  #disposed = false

  /** Use `engine.session()`. */
  constructor(client: Client, options: SessionOptions = {}) {
    this.#client = client
    this.#id = client.nextId()
    client.post({ type: 'open', session: this.#id, options: { ...options } })
  }

  /** What the cache holds: exact whenever no prompt of this session is under way. */
  get cache(): CacheStats {
    return this.#cache
  }

  /** Token ids of the timeline, prompts and answers: as they stood when the last prompt ended. */
  get tokens(): readonly number[] {
    return this.#tokens
  }

  /**
   * Text continues the timeline as it is. Messages are a whole conversation: the chat template renders it, and what
   * the session remembers of the longest common beginning is reused; the rest of the timeline is forgotten.
   *
   * Never throws itself; the generation does: ContextLengthError if the prompt does not fit, CacheFullError,
   * OptionError, DisposedError, the signal's reason. After an abort the session goes on from what was computed.
   */
  prompt(prompt: string | readonly Message[], options: PromptOptions = {}): Generation {
    const { signal, ...rest } = options
    const client = this.#client
    const id = client.nextId()
    const abort = () => client.post({ type: 'abort', id })
    const stream = new GenerationStream(abort)
    if (this.#disposed) stream.fail(new DisposedError('session'))
    else if (signal?.aborted) stream.fail(signal.reason)
    else {
      signal?.addEventListener('abort', abort, { once: true })
      const ended = (state: SessionState | null) => {
        signal?.removeEventListener('abort', abort)
        if (state) this.#update(state)
      }
      client.prompt({ type: 'prompt', id, session: this.#id, prompt, options: rest }, { stream, ended, signal })
    }
    return stream
  }

  /** Forgets everything, after the prompts before it; the session can be used again. */
  async reset(): Promise<void> {
    if (this.#disposed) throw new DisposedError('session')
    this.#update(await this.#client.call({ method: 'reset', session: this.#id }))
  }

  /** Frees the cache. Prompts under way fail with DisposedError. */
  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    const closed = this.#client.call({ method: 'close', session: this.#id })
    await closed.catch(error => {
      // With the engine gone, so is the session.
      if (!this.#client.closed) throw error
    })
    this.#update({ cache: { tokens: 0, usedBytes: 0, bytes: 0 }, keep: 0, tokens: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  #update({ cache, keep, tokens }: SessionState): void {
    this.#cache = cache
    this.#tokens.length = keep
    for (const id of tokens) this.#tokens.push(id)
  }
}
