/** A text that the model has read, to be looked into (docs/inspect.md). */
import { DisposedError, OptionError, OutOfMemoryError } from '../../errors.ts'
import { readOptions } from '../../options/read-options.ts'
import type { About, Answers, Question, Questions, Span } from '../../reading/questions.ts'
import type {
  AttentionMap,
  HiddenStates,
  NextTokens,
  ReadingInfo,
  ReadingLayer,
  ReadingToken,
} from '../../reading/types.ts'
import type { AttentionOptions, HiddenOptions, LensOptions, NextOptions } from '../types/reading.ts'
import { ATTENTION_OPTIONS, HIDDEN_OPTIONS, LENS_OPTIONS, NEXT_OPTIONS } from '../types/reading-options.ts'
import type { Client } from '../wire/client.ts'

/** Bytes of maps that one answer brings: few questions, and little is held at once. */
const ANSWER_BYTES = 2 ** 26
/** Bytes of one head's map that are given at once. */
const MOST_BYTES = 2 ** 29

/**
 * A text that the model has read. What entered each layer is kept; patterns, states and logits are computed when they are asked
 * for, by the model's own kernels, and nothing of them is held afterwards.
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
  /** Bytes that are kept until `dispose`. */
  readonly bytes: number
  readonly #client: Client
  readonly #id: number
  readonly #thread: number
  #disposed: Promise<void> | null = null

  /** @internal */
  constructor(client: Client, id: number, info: ReadingInfo) {
    this.#client = client
    this.#id = id
    this.#thread = client.thread
    this.tokens = info.tokens
    this.layers = info.layers
    this.hiddenSize = info.hiddenSize
    this.causal = info.causal
    this.bytes = info.bytes
  }

  /**
   * The attention of the chosen heads, one by one: layer by layer, head by head. The next ones are computed when they are asked
   * for. Throws OptionError, OutOfMemoryError for a pattern of more than 512 MiB, the signal's reason, DisposedError.
   */
  async *attention(options: AttentionOptions = {}): AsyncGenerator<AttentionMap, void, void> {
    const given = readOptions<AttentionOptions>(ATTENTION_OPTIONS, 'attention', options)
    const { scores = false, pool = 0, pooling = 'max', measures = false, signal } = given
    const { probabilities = pool === 0 && !measures && !scores } = given
    const rows = this.#rows(given.rows)
    const layers = chosen('layers', given.layers, this.layers.length)
    const bytes = this.#mapBytes(rows, { probabilities, scores, pool })
    for (const layer of layers) {
      const heads = chosen('heads', given.heads, (this.layers[layer] as ReadingLayer).heads)
      const atOnce = Math.max(1, Math.floor(ANSWER_BYTES / bytes))
      for (let i = 0; i < heads.length; i += atOnce) {
        const what = { probabilities, scores, pool, pooling, measures }
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
    return { layers, row: place('row', row, this.tokens.length), top, logits }
  }

  #rows(given: readonly number[] | undefined): Span {
    const n = this.tokens.length
    if (!given) return [0, n]
    const ends = given.map(at => Math.min(Math.max(at < 0 ? at + n : at, 0), n))
    const [from, to] = ends
    if (given.length === 2 && from !== undefined && to !== undefined && from < to) return [from, to]
    throw new OptionError(
      `rows is [${given.join(', ')}]; expected two positions from and to of a text of ${n} tokens, from below to`,
    )
  }

  #mapBytes(
    [from, to]: Span,
    {
      probabilities,
      scores,
      pool,
    }: { readonly probabilities: boolean; readonly scores: boolean; readonly pool: number },
  ): number {
    const rows = to - from
    const keys = this.tokens.length
    const whole = 4 * rows * keys * (Number(probabilities) + Number(scores))
    if (whole <= MOST_BYTES) return whole + 4 * Math.min(pool, rows) * Math.min(pool, keys) + 64
    throw new OutOfMemoryError(
      `A map of ${rows} queries and ${keys} keys has ${whole} bytes; at most ${MOST_BYTES} are given at once. Ask for some rows at ` +
        'a time (rows), or for a reduced pattern (pool)',
    )
  }
}

/** The indices given, or all; negative ones count from the end. */
function chosen(what: string, given: readonly number[] | undefined, count: number): readonly number[] {
  if (!given) return Array.from({ length: count }, (_, i) => i)
  return given.map((index, i) => place(`${what}[${i}]`, index, count))
}

function place(what: string, index: number, count: number): number {
  const at = index < 0 ? index + count : index
  if (at >= 0 && at < count) return at
  throw new OptionError(`${what} is ${index}; expected ${-count} to ${count - 1}`)
}
