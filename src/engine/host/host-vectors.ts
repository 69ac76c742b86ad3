import { checkedDimensions, Embedder, type Sharing } from '../../embedding/embedder.ts'
import type { EmbeddingSettings } from '../../embedding/settings.ts'
import { OptionError } from '../../errors.ts'
import type { Parts } from '../load/load-parts.ts'
import type { Call, FromHost, HostEmbedOptions, Replies } from '../types/protocol.ts'
import type { HostJobs } from './host-jobs.ts'

export interface HostVectorsContext {
  readonly parts: Pick<Parts, 'model' | 'tokenizer' | 'embedding'>
  readonly jobs: HostJobs
  readonly now: () => number
  post(message: FromHost): void
}

/** Milliseconds between reports. */
const REPORT_MS = 50

/** Embeddings and scores under way. Each layer of a batch takes its turn between the steps of texts that are written. */
export class HostVectors {
  readonly #context: HostVectorsContext
  readonly #embedder: Embedder

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

  #job<T>(id: number, reports: boolean, job: (work: Sharing) => Promise<T>): Promise<T> {
    const { jobs, now, post } = this.#context
    let reported = Number.NEGATIVE_INFINITY
    const report = (done: number, total: number) => {
      if (!reports || (done < total && now() - reported < REPORT_MS)) return
      reported = now()
      post({ type: 'embedding', id, progress: { texts: done, total } })
    }
    return jobs.run(id, turns => job({ ...turns, report }))
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
