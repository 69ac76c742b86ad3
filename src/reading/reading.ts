/**
 * A text that a model has read whole, with the residual stream of every layer kept. All else is computed again when it is asked
 * for, from what entered the layer, by the model's own operations; so memory grows with tokens and layers, and never with
 * patterns.
 */
import { DisposedError, OutOfMemoryError, UnsupportedModelError } from '../errors.ts'
import type { Model } from '../model/model.ts'
import type { AttentionPath } from '../nn/attention/path.ts'
import type { RopeConfig } from '../nn/attention/rope.ts'
import { type AttendingLayer, attendingLayer, attentionOf, hasStates, type ModelConfig } from '../nn/config.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { workedCell } from './cell.ts'
import { largest, softmaxFacts } from './chances.ts'
import type { StoredByLayer } from './changes.ts'
import { headOutputs } from './heads.ts'
import { layerChanges } from './layer-changes.ts'
import { attentionMaps } from './maps.ts'
import { type MeasuredText, measuredText } from './measures.ts'
import type { Answers, Change, Questions, Span } from './questions.ts'
import type { Sharing } from './sharing.ts'
import { checkedMatrix, joinedColumns, spectrumOf } from './spectrum.ts'
import { logitsOf, readStates, type States, storedRows } from './state.ts'
import { gram, lossByRank, singularValues, symmetricEigen } from './svd.ts'
import type { Cell, HeadVectors, ReadingInfo, ReadingLayer, ReadingToken, Spectrum } from './types.ts'
import { headVectors } from './vectors.ts'
import { WatchedLayer } from './watched-layer.ts'
import { type WholeText, wholeText } from './whole-text.ts'

/** Layers that are kept as they were run, so that the next question about them is quick. */
const MOST_WATCHED = 2
/** For keys and values of all heads, which are raised together. */
const MOST_RAISED = 2 ** 28

export type ReadingTokenizer = Pick<Tokenizer, 'tokenBytes' | 'isSpecial'>

export class TextReading {
  readonly info: ReadingInfo
  readonly #model: Model
  readonly #tokenizer: ReadingTokenizer
  readonly #text: WholeText
  readonly #states: readonly Float32Array[]
  readonly #stored: StoredByLayer
  readonly #measured: MeasuredText
  /** The layers that were asked about last, the last one first. */
  #watched: WatchedLayer[] = []
  #turn: Promise<unknown> = Promise.resolve()
  #disposed = false

  private constructor(model: Model, tokenizer: ReadingTokenizer, text: WholeText, { states, stored }: States) {
    this.#model = model
    this.#tokenizer = tokenizer
    this.#text = text
    this.#states = states
    this.#stored = stored
    const { config } = model
    const tokens = Array.from(text.tokens, (id, position) => this.#token(id, position))
    this.#measured = measuredText(
      text.tokens,
      tokens.map(token => token.text),
    )
    this.info = {
      tokens,
      layers: config.layers.map((_, i) => layerInfo(attendingLayer(config, i), i, config.ropes)),
      hiddenSize: config.hiddenSize,
      causal: !config.encoder,
      bytes:
        states.reduce((n, state) => n + state.byteLength, 0) +
        [...stored.values()].reduce((n, rows) => n + [...rows.values()].reduce((m, row) => m + row.byteLength, 0), 0),
    }
  }

  /** Number of tokens. */
  get tokens(): number {
    return this.#text.tokens.length
  }

  /** Bytes that a reading of so many tokens keeps. */
  static bytesOf({ config }: Pick<Model, 'config'>, tokens: number, changes: readonly Change<unknown>[]): number {
    const cut = changes.map(change => (change.kind === 'rank' ? storedWidth(attendingLayer(config, change.layer)) : 0))
    return 4 * tokens * cut.reduce((n, width) => n + width, (config.nLayers + 1) * config.hiddenSize)
  }

  /**
   * Reads the tokens in one step. What `work.pause` throws ends it. Throws OptionError for changes that cannot be made, UnsupportedModelError for a
   * model whose queries choose their keys.
   */
  static async read(
    model: Model,
    tokenizer: ReadingTokenizer,
    tokens: ArrayLike<number>,
    work: Sharing,
    changes: readonly Change<TextReading>[] = [],
  ): Promise<TextReading> {
    if (model.decoder.topK > 0) {
      const what = `A model of type ${model.config.modelType} attends to keys that an indexer chooses`
      throw new UnsupportedModelError(`${what}; such a text cannot be looked into yet`)
    }
    if (hasStates(model.config)) {
      throw new UnsupportedModelError(
        `A model of type ${model.config.modelType} cannot be looked into: some of its layers carry a state in place of keys and values`,
      )
    }
    if (model.config.layers.some(({ attention: a }) => a.kind === 'grouped' && a.keysOf !== undefined)) {
      throw new UnsupportedModelError(
        `A model of type ${model.config.modelType} cannot be looked into: some of its layers read the keys and values of earlier ones`,
      )
    }
    const text = wholeText(Int32Array.from(tokens), model.config.encoder)
    const byLayer = await layerChanges(
      changes,
      model.config.layers.map(layer => attentionOf(layer).kind),
      work,
    )
    const states = await readStates(model.kernels, model.decoder, text, byLayer, work)
    return new TextReading(model, tokenizer, text, states)
  }

  async attention(question: Questions['attention'], work: Sharing): Promise<Answers['attention']> {
    const context = { keys: this.#text.tokens.length, causal: this.info.causal, measured: this.#measured }
    return this.#onLayer(question.layer, question.path, work, layer =>
      attentionMaps(this.#model.kernels, layer, question, context, work),
    )
  }

  /** Throws OutOfMemoryError where all heads of so many rows are too much for what one of them is taken from. */
  async vectors(question: Questions['vectors'], work: Sharing): Promise<HeadVectors> {
    const { attention: c } = attendingLayer(this.#model.config, question.layer)
    const [from, to] = question.rows
    const bytes = c.kind === 'latent' ? 4 * (to - from) * c.nHeads * (c.qkNopeHeadDim + c.vHeadDim + c.kvLoraRank) : 0
    if (bytes > MOST_RAISED) {
      throw new OutOfMemoryError(
        `Keys and values of ${to - from} rows are computed for all ${c.nHeads} heads, which takes ${bytes} bytes; at most ${MOST_RAISED} are ` +
          'taken. Ask for fewer rows at a time',
      )
    }
    return this.#onLayer(question.layer, undefined, work, layer =>
      work.turn(() => headVectors(this.#model.kernels, layer, question, work.pause)),
    )
  }

  async cell(question: Questions['cell'], work: Sharing): Promise<Cell> {
    const { kernels } = this.#model
    const keys = this.#text.tokens.length
    const work1 = (layers: readonly WatchedLayer[]) =>
      work.turn(() => workedCell(kernels, layers, question, keys, this.info.causal, work.pause))
    return this.#onLayer(question.layer, undefined, work, async own => {
      const path = own.calls.find(({ first, count }) => question.query >= first && question.query < first + count)?.path
      if (path === 'grouped' || path === undefined) return work1([own])
      const other = await this.#watch(question.layer, path === 'expanded' ? 'absorbed' : 'expanded', work)
      return work1([own, other])
    })
  }

  /** Throws OptionError where the layer has nothing of the kind, or too much of it. */
  async spectrum({ layer, of }: Questions['spectrum'], work: Sharing): Promise<Spectrum> {
    return this.#onLayer(layer, undefined, work, async watched => {
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

  /** What a head found, f32 [rows, V]. */
  async headOutput(layer: number, head: number, rows: Span, work: Sharing): Promise<Float32Array> {
    return this.#onLayer(layer, undefined, work, watched =>
      work.turn(() => headOutputs(this.#model.kernels, watched, head, rows, work.pause)),
    )
  }

  hidden({ layer, rows: [from, to] }: Questions['hidden']): Answers['hidden'] {
    const { hiddenSize: D } = this.info
    const values = (this.#states[layer] as Float32Array).slice(from * D, to * D)
    return { layer, start: from, rows: to - from, values }
  }

  /** Throws UnsupportedModelError for an encoder. */
  async next({ layers, row, top, logits }: Questions['next'], work: Sharing): Promise<Answers['next']> {
    const { hiddenSize: D } = this.info
    const { kernels, decoder } = this.#model
    const found: Answers['next'][number][] = []
    for (const layer of layers) {
      const state = (this.#states[layer] as Float32Array).slice(row * D, (row + 1) * D)
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
    for (const layer of this.#watched.splice(0)) layer.dispose()
  }

  /** One question about a layer at a time: the next one may be about another. Throws DisposedError. */
  async #onLayer<T>(
    index: number,
    path: AttentionPath | undefined,
    work: Sharing,
    ask: (layer: WatchedLayer) => Promise<T>,
  ): Promise<T> {
    // Another text's changes may ask after `dispose`: what is watched then, nothing would give back.
    if (this.#disposed) throw new DisposedError('reading')
    const answer = this.#turn.then(async () => ask(await this.#watch(index, path, work)))
    this.#turn = answer.catch(() => {})
    return answer
  }

  async #watch(index: number, path: AttentionPath | undefined, work: Sharing): Promise<WatchedLayer> {
    const known = this.#watched.find(layer => layer.index === index && layer.path === path)
    if (known) {
      this.#watched = [known, ...this.#watched.filter(layer => layer !== known)]
      return known
    }
    while (this.#watched.length >= MOST_WATCHED) this.#watched.pop()?.dispose()
    const { kernels, decoder } = this.#model
    const stream = this.#states[index] as Float32Array
    const run = { kernels, decoder, text: this.#text, index, stream, stored: this.#stored.get(index), path }
    const layer = await work.turn(() => WatchedLayer.of(run, work.pause))
    this.#watched.unshift(layer)
    return layer
  }

  #token(id: number, position: number): ReadingToken {
    const bytes = this.#tokenizer.tokenBytes(id).slice()
    return { position, id, text: new TextDecoder().decode(bytes), bytes, special: this.#tokenizer.isSpecial(id) }
  }

  #textOf(id: number): string {
    return new TextDecoder().decode(this.#tokenizer.tokenBytes(id))
  }
}

function layerInfo(
  { attention: a, rope, window }: AttendingLayer,
  layer: number,
  ropes: ModelConfig['ropes'],
): ReadingLayer {
  const common = { layer, kind: a.kind, heads: a.nHeads, scale: a.softmaxScale, window }
  if (a.kind === 'latent') {
    const { qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim, kvLoraRank } = a
    const sizes = { keySize: N + R, valueSize: vHeadDim, ropeSize: rope === null ? 0 : R, latentSize: kvLoraRank }
    return { ...common, keyHeads: a.nHeads, ...sizes }
  }
  return {
    ...common,
    keyHeads: a.nKvHeads,
    keySize: a.headDim,
    valueSize: a.headDim,
    ropeSize: rope === null ? 0 : (ropes[rope] as RopeConfig).dim,
    latentSize: null,
  }
}

/** Numbers of a token that a change of rank keeps: its latent, or its keys or values. */
function storedWidth({ attention: a }: AttendingLayer): number {
  return a.kind === 'latent' ? a.kvLoraRank : a.nKvHeads * a.headDim
}
