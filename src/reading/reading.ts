/**
 * A text that a model has read whole, with the residual stream of every layer kept. All else is computed again when it is asked
 * for, from what entered the layer, by the model's own operations; so memory grows with tokens and layers, and never with
 * patterns.
 */
import { DisposedError, OutOfMemoryError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { attendingLayer, attends } from '../nn/config.ts'
import { type Decoder, joinsNext } from '../nn/decoder.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { workedCell } from './cell.ts'
import { largest, softmaxFacts } from './chances.ts'
import { headOutputs } from './heads.ts'
import { layerChanges } from './layer-changes.ts'
import { layerInfo, storedWidth } from './layer-info.ts'
import { attentionMaps } from './maps.ts'
import { type MeasuredText, measuredText } from './measures.ts'
import type { Answers, Change, Questions, Span } from './questions.ts'
import type { Sharing } from './sharing.ts'
import { checkedMatrix, joinedColumns, spectrumOf } from './spectrum.ts'
import { finalNormed, logitsOf, readStates, type States, storedRows } from './state.ts'
import { gram, lossByRank, singularValues, symmetricEigen } from './svd.ts'
import type { Cell, HeadVectors, ReadingInfo, ReadingToken, Spectrum } from './types.ts'
import { headVectors } from './vectors.ts'
import type { WatchedLayer } from './watched-layer.ts'
import { type Part, WatchedLayers } from './watched-layers.ts'
import { type WholeText, wholeText } from './whole-text.ts'

/** For keys and values of all heads, which are raised together. */
const MAX_RAISED = 2 ** 28

/** A model, or the encoder of one. */
export interface ReadModel {
  readonly kernels: Kernels
  readonly decoder: Decoder
}

/** The source that an encoder-decoder's text looks at. */
interface Source {
  readonly reading: TextReading
  /** What the encoder made of it, f32 [S, D]. */
  readonly encoded: Float32Array
}

export type ReadingTokenizer = Pick<Tokenizer, 'tokenBytes' | 'isSpecial'>

export class TextReading {
  readonly info: ReadingInfo
  readonly #model: ReadModel
  readonly #tokenizer: ReadingTokenizer
  readonly #text: WholeText
  readonly #source: Source | null
  readonly #read: States
  readonly #watched: WatchedLayers
  readonly #measured: MeasuredText
  #turn: Promise<unknown> = Promise.resolve()
  #disposed = false

  private constructor(
    model: ReadModel,
    tokenizer: ReadingTokenizer,
    text: WholeText,
    source: Source | null,
    read: States,
  ) {
    this.#model = model
    this.#tokenizer = tokenizer
    this.#text = text
    this.#source = source
    this.#read = read
    const { kernels, decoder } = model
    this.#watched = new WatchedLayers({ kernels, decoder, text, states: read, source: source?.encoded ?? null })
    const { config } = decoder
    const tokens = Array.from(text.tokens, (id, position) => this.#token(id, position))
    this.#measured = measuredText(
      text.tokens,
      tokens.map(token => token.text),
    )
    const cut = [...read.stored.values()].flatMap(rows => [...rows.values()])
    const kept = [...read.states, ...read.crossQueries, ...read.waiting.values(), ...cut]
    const own = kept.reduce((n, numbers) => n + numbers.byteLength, 0)
    this.info = {
      tokens,
      layers: config.layers.map((layer, i) => layerInfo(layer, i, config.ropes)),
      hiddenSize: config.hiddenSize,
      causal: !config.encoder,
      layersInOne: config.layersInOne ?? 1,
      bytes: own + (source ? source.encoded.byteLength + source.reading.info.bytes : 0),
      source: source?.reading.info ?? null,
    }
  }

  /** Number of tokens. */
  get tokens(): number {
    return this.#text.tokens.length
  }

  /** What an encoder-decoder's encoder has read. */
  get source(): TextReading | null {
    return this.#source?.reading ?? null
  }

  /** Bytes that a reading of so many tokens keeps, without its source. */
  static bytesOf({ decoder: { config } }: ReadModel, tokens: number, changes: readonly Change<unknown>[]): number {
    const cut = changes.map(change => (change.kind === 'rank' ? storedWidth(attendingLayer(config, change.layer)) : 0))
    const states =
      config.nLayers + 1 + config.layers.filter(({ cross }) => cross).length + config.layers.filter(joinsNext).length
    return 4 * tokens * cut.reduce((n, width) => n + width, states * config.hiddenSize)
  }

  /**
   * Reads the tokens in one step. What `work.pause` throws ends it. `source`: what the encoder of an encoder-decoder has read; it goes with
   * this reading. Throws OptionError for changes that cannot be made.
   */
  static async read(
    model: ReadModel,
    tokenizer: ReadingTokenizer,
    tokens: ArrayLike<number>,
    work: Sharing,
    changes: readonly Change<TextReading>[] = [],
    source: TextReading | null = null,
  ): Promise<TextReading> {
    const { kernels, decoder } = model
    const text = wholeText(Int32Array.from(tokens), decoder.config.encoder, source?.tokens)
    const byLayer = await layerChanges(
      changes,
      decoder.config.layers.map(({ attention }) => (attends(attention) ? attention.kind : null)),
      work,
    )
    const encoded = source && (await source.#encoded(work))
    const states = await readStates(kernels, decoder, text, encoded, byLayer, work)
    return new TextReading(model, tokenizer, text, source && encoded && { reading: source, encoded }, states)
  }

  async attention(question: Questions['attention'], work: Sharing): Promise<Answers['attention']> {
    return this.#onLayer(question.layer, { path: question.path, cross: question.cross }, work, layer =>
      attentionMaps(this.#model.kernels, layer, question, this.#measured, work),
    )
  }

  /** Throws OutOfMemoryError where all heads of so many rows are too much for what one of them is taken from. */
  async vectors(question: Questions['vectors'], work: Sharing): Promise<HeadVectors> {
    const { attention: c } = attendingLayer(this.#model.decoder.config, question.layer)
    const [from, to] = question.rows
    const bytes = c.kind === 'latent' ? 4 * (to - from) * c.nHeads * (c.qkNopeHeadDim + c.vHeadDim + c.kvLoraRank) : 0
    if (bytes > MAX_RAISED) {
      throw new OutOfMemoryError(
        `Keys and values of ${to - from} rows are computed for all ${c.nHeads} heads, which takes ${bytes} bytes; at most ${MAX_RAISED} are ` +
          'taken. Ask for fewer rows at a time',
      )
    }
    return this.#onLayer(question.layer, {}, work, layer =>
      work.turn(() => headVectors(this.#model.kernels, layer, question, work.pause)),
    )
  }

  async cell({ cross, ...question }: Questions['cell'], work: Sharing): Promise<Cell> {
    const { kernels } = this.#model
    const work1 = (layers: readonly WatchedLayer[]) =>
      work.turn(() => workedCell(kernels, layers, question, work.pause))
    return this.#onLayer(question.layer, { cross }, work, async own => {
      const path = own.calls.find(({ first, count }) => question.query >= first && question.query < first + count)?.path
      if (path === 'grouped' || path === undefined) return work1([own])
      const other = await this.#watched.at(
        question.layer,
        { path: path === 'expanded' ? 'absorbed' : 'expanded' },
        work,
      )
      return work1([own, other])
    })
  }

  /** Throws OptionError where the layer has nothing of the kind, or too much of it. */
  async spectrum({ layer, of }: Questions['spectrum'], work: Sharing): Promise<Spectrum> {
    return this.#onLayer(layer, {}, work, async watched => {
      const rows = this.#text.tokens.length
      const parts = await work.turn(() =>
        Promise.all(spectrumOf(watched, of).map(x => storedRows(this.#model.kernels, x))),
      )
      const matrix = joinedColumns(parts, rows)
      const { n, matrix: squares } = await gram(checkedMatrix(matrix), work.pause)
      const eigen = await symmetricEigen(n, squares, work.pause)
      return { layer, of, width: matrix.cols, singularValues: singularValues(eigen), errors: lossByRank(eigen) }
    })
  }

  /** What a head found, as it is projected: f32 [rows, V]. */
  async headOutput(layer: number, head: number, rows: Span, work: Sharing): Promise<Float32Array> {
    return this.#onLayer(layer, {}, work, watched =>
      work.turn(() => headOutputs(this.#model.kernels, watched, head, rows, true, work.pause)),
    )
  }

  hidden({ layer, rows: [from, to] }: Questions['hidden']): Answers['hidden'] {
    const { hiddenSize: D } = this.info
    const values = (this.#read.states[layer] as Float32Array).slice(from * D, to * D)
    return { layer, start: from, rows: to - from, values }
  }

  /** What experts of the layer before have returned, where it joins the stream behind this one: f32 [rows, D]; else null. */
  waiting(layer: number, [from, to]: Span): Float32Array | null {
    const { hiddenSize: D } = this.info
    return this.#read.waiting.get(layer)?.slice(from * D, to * D) ?? null
  }

  /** Throws UnsupportedModelError for an encoder. */
  async next({ layers, row, top, logits }: Questions['next'], work: Sharing): Promise<Answers['next']> {
    const { hiddenSize: D } = this.info
    const { kernels, decoder } = this.#model
    const found: Answers['next'][number][] = []
    for (const layer of layers) {
      const state = (this.#read.states[layer] as Float32Array).slice(row * D, (row + 1) * D)
      const { residualScale } = decoder.config
      // What the layers so far have returned counts, also where it joins the stream later.
      const waiting = this.waiting(layer, [row, row + 1])
      if (waiting) for (let i = 0; i < D; i++) state[i] = (state[i] as number) + residualScale * (waiting[i] as number)
      const all = await work.turn(() => logitsOf(kernels, decoder, state))
      const { lse, entropy } = softmaxFacts(all)
      const chances = largest(all, Math.min(top, all.length)).map(id => {
        const logit = all[id] as number
        return { id, text: this.#textOf(id), logit, probability: Math.exp(logit - lse) }
      })
      found.push({ layer, row, top: chances, entropy, ...(logits && { logits: all }) })
      await work.pause()
    }
    return found
  }

  /** When nothing of it is under way any more. */
  async dispose(): Promise<void> {
    this.#disposed = true
    await this.#turn
    this.#watched.dispose()
    await this.#source?.reading.dispose()
  }

  #encoded(work: Sharing): Promise<Float32Array> {
    const { kernels, decoder } = this.#model
    return work.turn(() => finalNormed(kernels, decoder, this.#read.states.at(-1) as Float32Array))
  }

  /** One question about a layer at a time: the next one may be about another. Throws DisposedError. */
  async #onLayer<T>(index: number, part: Part, work: Sharing, ask: (layer: WatchedLayer) => Promise<T>): Promise<T> {
    // Another text's changes may ask after `dispose`: what is watched then, nothing would give back.
    if (this.#disposed) throw new DisposedError('reading')
    const answer = this.#turn.then(async () => ask(await this.#watched.at(index, part, work)))
    this.#turn = answer.catch(() => {})
    return answer
  }

  #token(id: number, position: number): ReadingToken {
    const bytes = this.#tokenizer.tokenBytes(id).slice()
    return { position, id, text: new TextDecoder().decode(bytes), bytes, special: this.#tokenizer.isSpecial(id) }
  }

  #textOf(id: number): string {
    return new TextDecoder().decode(this.#tokenizer.tokenBytes(id))
  }
}
