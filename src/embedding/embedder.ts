import { OptionError, UnsupportedModelError } from '../errors.ts'
import type { Model } from '../model/model.ts'
import type { RowsOfText, TextReader, Turn } from '../model/text-reader.ts'
import { batchesOf } from './batches.ts'
import { finished, meanRow } from './pooling.ts'
import type { EmbeddingSettings } from './settings.ts'
import { pairTokens, type ReadyText, type TextTokenizer, textTokens } from './text-tokens.ts'

/** Tokens of a step: enough for products over many rows, and memory stays small. */
const BATCH_TOKENS = 1024

export interface EmbedSettings extends Pick<EmbeddingSettings, 'pooling' | 'normalize' | 'dimensions'> {
  readonly truncate: boolean
  /** Put before every text. */
  readonly prompt: string
}

/** How work is shared with others. */
export interface Sharing {
  readonly turn: Turn
  /** Lets messages in, if it is time. Throws when the work is to end. */
  readonly pause: () => Promise<void>
  /** Texts that are done, of all. */
  readonly report?: (done: number, total: number) => void
}

/** What came of some texts, in their order. */
export interface Embedded {
  /** f32 [texts, dimensions] */
  readonly vectors: Float32Array
  readonly tokens: number
  /** Texts that were cut. */
  readonly truncated: readonly number[]
}

export interface Scored {
  /** One for each document, in their order. */
  readonly scores: Float32Array
  readonly tokens: number
  readonly truncated: readonly number[]
}

/** Makes vectors of texts, and scores of pairs. A text's bits do not depend on the others. */
export class Embedder {
  readonly #model: Model
  readonly #tokenizer: TextTokenizer
  readonly #settings: EmbeddingSettings

  constructor(model: Model, tokenizer: TextTokenizer, settings: EmbeddingSettings) {
    this.#model = model
    this.#tokenizer = tokenizer
    this.#settings = settings
  }

  /** Throws OptionError for a text that cannot be read, UnsupportedModelError for vectors that are not computed here. */
  async embed(texts: readonly (string | readonly number[])[], given: EmbedSettings, work: Sharing): Promise<Embedded> {
    const { refused } = this.#settings
    if (refused) throw new UnsupportedModelError(`${refused}: its vectors would be wrong`)
    const { pooling, normalize, dimensions: n, truncate, prompt } = given
    const limits = this.#limits(truncate)
    const ready = await this.#readied(texts.length, work, i =>
      textTokens(this.#tokenizer, texts[i] as string, `texts[${i}]`, prompt, limits),
    )
    const vectors = new Float32Array(texts.length * n)
    const D = this.#settings.dimensions
    const rows = ({ mean: 'all', cls: 'first', last: 'last' } as const satisfies Record<string, RowsOfText>)[pooling]
    await this.#inBatches(ready, work, async (reader, batch, indices) => {
      const hidden = await reader.hidden(batch, rows, work.turn)
      let row = 0
      for (const [i, { tokens }] of batch.entries()) {
        const count = rows === 'all' ? tokens.length : 1
        const vector = meanRow(hidden, row, count, D)
        vectors.set(finished(vector, n, normalize), (indices[i] as number) * n)
        row += count
      }
    })
    return { vectors, ...countsOf(ready) }
  }

  /** How well each document answers the query, as the model's head scores it. Throws UnsupportedModelError, OptionError. */
  async rerank(query: string, documents: readonly string[], truncate: boolean, work: Sharing): Promise<Scored> {
    const { config } = this.#model
    if (config.encoder?.head?.scores !== 1) {
      throw new UnsupportedModelError(
        `This model (${config.modelType}) is no reranker: it has no head that scores a pair of texts with one number. Use a ` +
          'cross-encoder, or engine.embed() and the dot products of its vectors',
      )
    }
    const limits = this.#limits(truncate)
    const ready = await this.#readied(documents.length, work, i =>
      pairTokens(this.#tokenizer, query, documents[i] as string, `documents[${i}]`, limits),
    )
    const scores = new Float32Array(documents.length)
    await this.#inBatches(ready, work, async (reader, batch, indices) => {
      const found = await reader.scores(batch, work.turn)
      for (const [i, index] of indices.entries()) scores[index] = found[i] as number
    })
    return { scores, ...countsOf(ready) }
  }

  #limits(truncate: boolean) {
    const { maxTokens, limitedBy } = this.#settings
    return { maxTokens, limitedBy, truncate, vocabSize: this.#model.config.vocabSize }
  }

  async #readied(count: number, work: Sharing, ready: (i: number) => ReadyText): Promise<ReadyText[]> {
    const all: ReadyText[] = []
    for (let i = 0; i < count; i++) {
      await work.pause()
      all.push(ready(i))
    }
    return all
  }

  async #inBatches(
    texts: readonly ReadyText[],
    work: Sharing,
    run: (reader: TextReader, batch: readonly ReadyText[], indices: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const reader = this.#model.textReader()
    try {
      let done = 0
      for (const indices of batchesOf(
        texts.map(({ tokens }) => tokens.length),
        BATCH_TOKENS,
      )) {
        await work.pause()
        await run(
          reader,
          indices.map(i => texts[i] as ReadyText),
          indices,
        )
        done += indices.length
        work.report?.(done, texts.length)
      }
    } finally {
      reader.dispose()
    }
  }
}

/** The vectors' dimensions: all of the model's, or its first `wanted` (matryoshka). Throws OptionError. */
export function checkedDimensions(wanted: number | undefined, { dimensions }: EmbeddingSettings): number {
  if (wanted === undefined || wanted <= dimensions) return wanted ?? dimensions
  throw new OptionError(
    `dimensions is ${wanted}; this model's vectors have ${dimensions}, of which the first can be taken`,
  )
}

function countsOf(texts: readonly ReadyText[]): Pick<Embedded, 'tokens' | 'truncated'> {
  return {
    tokens: texts.reduce((sum, { tokens }) => sum + tokens.length, 0),
    truncated: texts.flatMap(({ truncated }, i) => (truncated ? [i] : [])),
  }
}
