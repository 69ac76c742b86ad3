import { checkedDimensions, Embedder, type Sharing } from '../../embedding/embedder.ts'
import type { EmbeddingSettings } from '../../embedding/settings.ts'
import { OptionError } from '../../errors.ts'
import type { Parts } from '../load/load-parts.ts'
import type { StepLoop } from '../loop/step-loop.ts'
import type { Call, FromHost, HostEmbedOptions, Replies } from '../types/protocol.ts'

export interface HostVectorsContext {
  readonly parts: Pick<Parts, 'model' | 'tokenizer' | 'embedding'>
  readonly loop: StepLoop
  /** Lets messages in. */
  readonly pause: () => Promise<void>
  readonly now: () => number
  post(message: FromHost): void
}

/** Milliseconds after which messages are let in. */
const PAUSE_AFTER = 4
/** Milliseconds between reports. */
const REPORT_MS = 50

/** Embeddings and scores under way. Each layer of a batch takes its turn between the steps of texts that are written. */
export class HostVectors {
  readonly #context: HostVectorsContext
  readonly #embedder: Embedder
  readonly #ending = new Map<number, AbortController>()
  readonly #running = new Set<Promise<unknown>>()

  constructor(context: HostVectorsContext) {
    this.#context = context
    const { model, tokenizer, embedding } = context.parts
    this.#embedder = new Embedder(model, tokenizer, embedding)
  }

  embed(id: number, { texts, options, reports }: Call & { method: 'embed' }): Promise<Replies['embed']> {
    const { embedding } = this.#context.parts
    const { pooling = embedding.pooling, normalize = embedding.normalize, truncate = false } = options
    return this.#job(id, reports, async work => {
      const dimensions = checkedDimensions(options.dimensions, embedding)
      const prompt = promptOf(options, embedding)
      return this.#embedder.embed(texts, { pooling, normalize, dimensions, truncate, prompt }, work)
    })
  }

  rerank(id: number, { query, documents, options, reports }: Call & { method: 'rerank' }): Promise<Replies['rerank']> {
    return this.#job(id, reports, work => this.#embedder.rerank(query, documents, options.truncate ?? false, work))
  }

  abort(id: number, reason: unknown = new Error('aborted')): void {
    this.#ending.get(id)?.abort(reason)
  }

  /** Ends all; resolves when nothing uses the model any more. */
  async end(reason: unknown): Promise<void> {
    for (const id of this.#ending.keys()) this.abort(id, reason)
    await Promise.allSettled(this.#running)
  }

  async #job<T>(id: number, reports: boolean, job: (work: Sharing) => Promise<T>): Promise<T> {
    const ending = new AbortController()
    this.#ending.set(id, ending)
    const running = job(this.#sharing(id, reports, ending.signal))
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#ending.delete(id)
      this.#running.delete(running)
    }
  }

  #sharing(id: number, reports: boolean, signal: AbortSignal): Sharing {
    const { loop, now, pause, post } = this.#context
    let letIn = now()
    let reported = Number.NEGATIVE_INFINITY
    const breathe = async () => {
      if (now() - letIn >= PAUSE_AFTER) {
        await pause()
        letIn = now()
      }
      signal.throwIfAborted()
    }
    return {
      turn: async work => {
        await breathe()
        return loop.exclusive(() => loop.computed(work))
      },
      pause: breathe,
      report: (done, total) => {
        if (!reports || (done < total && now() - reported < REPORT_MS)) return
        reported = now()
        post({ type: 'embedding', id, progress: { texts: done, total } })
      },
    }
  }
}

/** Throws OptionError for a name that no prompt has. */
function promptOf({ prompt, promptName }: HostEmbedOptions, { prompts, defaultPrompt }: EmbeddingSettings): string {
  if (prompt !== undefined && promptName !== undefined) {
    throw new OptionError('prompt and promptName were given; expected one of them')
  }
  if (prompt !== undefined) return prompt
  const name = promptName ?? defaultPrompt
  if (name === null) return ''
  if (Object.hasOwn(prompts, name)) return prompts[name] as string
  const known = Object.keys(prompts)
  const expected =
    known.length > 0
      ? `expected ${known.join(', ')}`
      : 'this model names no prompts; put one before the text yourself (prompt)'
  throw new OptionError(`promptName is ${JSON.stringify(name)}; ${expected}`)
}
