/** A text that the model has read, to be looked into (docs/inspect.md). */
import { DisposedError, OptionError } from '../../errors.ts'
import { readOptions } from '../../options/read-options.ts'
import type { About, Answers, Question, Questions, Span } from '../../reading/questions.ts'
import type {
  AttentionMap,
  Cell,
  HeadVectors,
  HiddenStates,
  NextTokens,
  ReadingInfo,
  ReadingLayer,
  ReadingToken,
  Spectrum,
  TokenChance,
} from '../../reading/types.ts'
import type {
  AttentionOptions,
  CellOptions,
  HiddenOptions,
  LensOptions,
  NextOptions,
  SpectrumOptions,
  VectorOptions,
  WriteOptions,
} from '../types/options/reading.ts'
import {
  ATTENTION_OPTIONS,
  CELL_OPTIONS,
  HIDDEN_OPTIONS,
  LENS_OPTIONS,
  NEXT_OPTIONS,
  SPECTRUM_OPTIONS,
  VECTOR_OPTIONS,
  WRITE_OPTIONS,
} from '../types/options/reading.ts'
import { attending, placeOf, spanOf, storing } from '../types/reading-changes.ts'
import type { Client } from '../wire/client.ts'
import { mapBytes } from './map-bytes.ts'

/** Reads other token ids with the same changes; `tokens`: how many the text had for which they were given. */
export type Reread = (ids: readonly number[], tokens: number, signal: AbortSignal | undefined) => Promise<Reading>

/** What the host knows a text and its source by; null: it is a source itself. */
interface ReadingIds {
  readonly text: number
  readonly source: number | null
}

/** Bytes of maps that one answer brings: few questions, and little is held at once. */
const ANSWER_BYTES = 2 ** 26

/**
 * A text that the model has read. What entered each layer is kept; patterns, states and logits are computed when they are asked
 * for, by the model's own kernels; only the one or two layers asked about last stay as they were run.
 */
export class Reading {
  /** The text's tokens. */
  readonly tokens: readonly ReadingToken[]
  /** How each layer attends. */
  readonly layers: readonly ReadingLayer[]
  /** D, the width of the residual stream. */
  readonly hiddenSize: number
  /** A token sees those before it only; false: an encoder's sees all. */
  readonly causal: boolean
  /** Layers here that the model's files count as one (LongCat: 2, as its layers have two attentions). Else 1. */
  readonly layersInOne: number
  /** Bytes that are kept until `dispose`, those of `source` among them. */
  readonly bytes: number
  /** What an encoder-decoder's encoder has read: its tokens, layers and patterns; null: the model has none. It goes when this is disposed of. */
  readonly source: Reading | null
  readonly #client: Client
  readonly #id: number
  readonly #isSource: boolean
  readonly #thread: number
  readonly #read: Reread
  #disposed: Promise<void> | null = null

  /** @internal `ids`: of the text and of its source. `read`: another text with the same changes, whose places are those of this one. */
  constructor(client: Client, ids: ReadingIds, info: ReadingInfo, read: Reread) {
    this.#client = client
    this.#id = ids.text
    this.#read = read
    this.#isSource = ids.source === null
    this.source =
      ids.source === null || info.source === null
        ? null
        : new Reading(client, { text: ids.source, source: null }, info.source, read)
    this.#thread = client.thread
    this.tokens = info.tokens
    this.layers = info.layers
    this.hiddenSize = info.hiddenSize
    this.causal = info.causal
    this.layersInOne = info.layersInOne
    this.bytes = info.bytes
  }

  /**
   * The attention of the chosen heads, one by one: layer by layer, head by head. The next ones are computed when they are asked
   * for. Throws OptionError, OutOfMemoryError for a pattern of more than 512 MiB, the signal's reason, DisposedError.
   */
  async *attention(options: AttentionOptions = {}): AsyncGenerator<AttentionMap, void, void> {
    const given = readOptions<AttentionOptions>(ATTENTION_OPTIONS, 'attention', options)
    const { scores = false, pool = 0, pooling = 'max', measures = false, cross = false, path, signal } = given
    const { probabilities = pool === 0 && !measures && !scores } = given
    const rows = this.#rows(given.rows)
    const keys = this.#keys(cross)
    if (cross && measures) {
      throw new OptionError('measures is true; they are of how a text looks at itself, and cross-attention has none')
    }
    const layers = this.#attending(given.layers, cross)
    const bytes = mapBytes(rows, keys, { probabilities, scores, pool })
    for (const layer of layers) {
      const heads = chosen('heads', given.heads, this.#heads(cross)[layer] as number)
      const atOnce = Math.max(1, Math.floor(ANSWER_BYTES / bytes))
      for (let i = 0; i < heads.length; i += atOnce) {
        const what = { probabilities, scores, pool, pooling, measures, cross, path }
        yield* await this.#ask('attention', { layer, heads: heads.slice(i, i + atOnce), rows, ...what }, signal)
      }
    }
  }

  /** The residual stream before the chosen layers, one by one. Throws OptionError, the signal's reason, DisposedError. */
  async *hidden(options: HiddenOptions = {}): AsyncGenerator<HiddenStates, void, void> {
    const given = readOptions<HiddenOptions>(HIDDEN_OPTIONS, 'hidden', options)
    const rows = this.#rows(given.rows)
    for (const layer of chosen('layers', given.layers, this.layers.length + 1)) {
      yield await this.#ask('hidden', { layer, rows }, given.signal)
    }
  }

  /** What the model takes for the next token. Throws UnsupportedModelError for an encoder, OptionError, the signal's reason, DisposedError. */
  async next(options: NextOptions = {}): Promise<NextTokens> {
    const given = readOptions<NextOptions>(NEXT_OPTIONS, 'next', options)
    const [next] = await this.#ask('next', this.#nextQuestion([this.layers.length], given), given.signal)
    return next as NextTokens
  }

  /**
   * The same after each layer: its state through the final norm and the output (the logit lens). One by one; throws what `next`
   * does.
   */
  async *lens(options: LensOptions = {}): AsyncGenerator<NextTokens, void, void> {
    const given = readOptions<LensOptions>(LENS_OPTIONS, 'lens', options)
    for (const layer of chosen('layers', given.layers, this.layers.length + 1)) {
      yield* await this.#ask('next', this.#nextQuestion([layer], given), given.signal)
    }
  }

  /**
   * The text goes on with the likeliest tokens, under the changes with which it was read: places that were counted from its end stay
   * where they were, and what holds for all tokens holds for new ones, too. Ends at a special token. The text is read anew for
   * each token: for short ones. Throws what `next` does, and `engine.inspect`.
   */
  async *write(options: WriteOptions = {}): AsyncGenerator<TokenChance, void, void> {
    const { maxTokens = 16, signal } = readOptions<WriteOptions>(WRITE_OPTIONS, 'write', options)
    const ids = this.tokens.map(({ id }) => id)
    let own: Reading | null = null
    try {
      for (let n = 0; n < maxTokens; n++) {
        const [best] = (await (own ?? this).next({ top: 1, ...(signal && { signal }) })).top
        const { id } = best as TokenChance
        ids.push(id)
        await own?.dispose()
        own = await this.#read(ids, this.tokens.length, signal)
        if (own.tokens.at(-1)?.special) return
        yield best as TokenChance
      }
    } finally {
      await own?.dispose()
    }
  }

  /**
   * Queries, keys and values of one head, as attention multiplies them and before rope; of MLA the latents, too. Throws
   * OptionError, OutOfMemoryError for too many rows at a time, the signal's reason, DisposedError.
   */
  async vectors(options: VectorOptions): Promise<HeadVectors> {
    const given = readOptions<Partial<VectorOptions>>(VECTOR_OPTIONS, 'vectors', options)
    return this.#ask('vectors', { ...this.#head(given, 'vectors', false), rows: this.#rows(given.rows) }, given.signal)
  }

  /**
   * One query and one key of one head, worked: the dot product in its parts, the score, the probability, the value, what is added
   * to the stream; by each path that the layer has. Throws OptionError, the signal's reason, DisposedError.
   */
  async cell(options: CellOptions): Promise<Cell> {
    const given = readOptions<Partial<CellOptions>>(CELL_OPTIONS, 'cell', options)
    const { query, key, cross = false, neighbours = 5, signal } = given
    if (query === undefined || key === undefined) {
      throw new OptionError(
        `cell has no ${query === undefined ? 'query' : 'key'}; expected two positions, query and key`,
      )
    }
    const places = { query: placeOf('query', query, this.tokens.length), key: placeOf('key', key, this.#keys(cross)) }
    return this.#ask('cell', { ...this.#head(given, 'cell', cross), ...places, cross, neighbours }, signal)
  }

  /**
   * What the layers store of this text's tokens, taken apart (SVD): singular values, and what a smaller rank loses. One by one.
   * Throws OptionError, the signal's reason, DisposedError.
   */
  async *spectra(options: SpectrumOptions = {}): AsyncGenerator<Spectrum, void, void> {
    const given = readOptions<SpectrumOptions>(SPECTRUM_OPTIONS, 'spectra', options)
    const [heads, keysOf] = [this.#heads(false), this.layers.map(layer => layer.keysOf)]
    const layers = given.layers
      ? given.layers.map((layer, i) => storing(`layers[${i}]`, layer, { heads, keysOf }))
      : this.#attending(undefined, false).filter(layer => keysOf[layer] === null)
    for (const layer of layers) {
      const { kind } = this.layers[layer] as ReadingLayer
      const { of = kind === 'latent' ? 'latent' : 'keysAndValues' } = given
      yield await this.#ask('spectrum', { layer, of }, given.signal)
    }
  }

  /** @internal What the host knows a text's reading by. */
  static numberOf(from: unknown, client: Client): number | null {
    if (!(from instanceof Reading) || from.#client !== client || from.#isSource) return null
    if (from.#disposed) throw new DisposedError('reading')
    return from.#id
  }

  /** Gives back what is kept. Everything asked afterwards fails with DisposedError. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#close()
    return this.#disposed
  }

  /** `dispose`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  async #close(): Promise<void> {
    // A thread that has ended holds nothing any more.
    if (this.#client.closed || this.#client.lost(this.#thread)) return
    await this.#client.call({ method: 'inspect', reading: this.#id, question: { about: 'close' } })
  }

  async #ask<A extends About>(about: A, question: Questions[A], signal: AbortSignal | undefined): Promise<Answers[A]> {
    if (this.#disposed) throw new DisposedError('reading')
    const lost = this.#client.lost(this.#thread)
    if (lost) throw lost
    const asked = { about, ...question } as unknown as Question
    return (await this.#client.call(
      { method: 'inspect', reading: this.#id, question: asked },
      { signal },
    )) as Answers[A]
  }

  #nextQuestion(layers: readonly number[], { row = -1, top = 10, logits = false }: NextOptions): Questions['next'] {
    return { layers, row: placeOf('row', row, this.tokens.length), top, logits }
  }

  #rows(given: readonly number[] | undefined): Span {
    return spanOf('rows', given, this.tokens.length)
  }

  /** Keys that there are: of the text itself, or of its source. */
  #keys(cross: boolean): number {
    if (!cross) return this.tokens.length
    if (this.source) return this.source.tokens.length
    throw new OptionError('cross is true; this model reads one text and has no cross-attention to another')
  }

  /** The layers given, which must attend, or all that do. */
  #attending(given: readonly number[] | undefined, cross: boolean): readonly number[] {
    const heads = this.#heads(cross)
    if (given) return given.map((layer, i) => attending(`layers[${i}]`, layer, heads))
    return heads.flatMap((count, layer) => (count > 0 ? [layer] : []))
  }

  /** Heads of each layer. */
  #heads(cross: boolean): readonly number[] {
    return this.layers.map(({ heads, crossHeads }) => (cross ? crossHeads : heads))
  }

  /** The place of a layer and a head of it. */
  #head({ layer, head }: { readonly layer?: number; readonly head?: number }, what: string, cross: boolean) {
    if (layer === undefined) throw new OptionError(`${what} has no layer; expected layer and head`)
    if (head === undefined) throw new OptionError(`${what} has no head; expected layer and head`)
    const heads = this.#heads(cross)
    const at = attending('layer', layer, heads)
    return { layer: at, head: placeOf('head', head, heads[at] as number) }
  }
}

/** The indices given, or all; negative ones count from the end. */
function chosen(what: string, given: readonly number[] | undefined, count: number): readonly number[] {
  if (!given) return Array.from({ length: count }, (_, i) => i)
  return given.map((index, i) => placeOf(`${what}[${i}]`, index, count))
}
