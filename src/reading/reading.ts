/**
 * A text that a model has read whole, with the residual stream of every layer kept. All else is computed again when it is asked
 * for, from what entered the layer, by the model's own operations; so memory grows with tokens and layers, and never with
 * patterns.
 */
import type { Model } from '../model/model.ts'
import type { RopeConfig } from '../nn/attention/rope.ts'
import type { LayerConfig, ModelConfig } from '../nn/config.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { largest, softmaxFacts } from './chances.ts'
import { attentionMaps } from './maps.ts'
import { type MeasuredText, measuredText } from './measures.ts'
import type { Answers, Questions } from './questions.ts'
import type { Sharing } from './sharing.ts'
import { logitsOf, readStates } from './state.ts'
import type { ReadingInfo, ReadingLayer, ReadingToken } from './types.ts'
import { WatchedLayer } from './watched-layer.ts'
import { type WholeText, wholeText } from './whole-text.ts'

export type ReadingTokenizer = Pick<Tokenizer, 'tokenBytes' | 'isSpecial'>

export class TextReading {
  readonly info: ReadingInfo
  readonly #model: Model
  readonly #tokenizer: ReadingTokenizer
  readonly #text: WholeText
  readonly #states: readonly Float32Array[]
  readonly #measured: MeasuredText
  /** The layer that was asked about last. */
  #watched: WatchedLayer | null = null
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(model: Model, tokenizer: ReadingTokenizer, text: WholeText, states: readonly Float32Array[]) {
    this.#model = model
    this.#tokenizer = tokenizer
    this.#text = text
    this.#states = states
    const { config } = model
    const tokens = Array.from(text.tokens, (id, position) => this.#token(id, position))
    this.#measured = measuredText(
      text.tokens,
      tokens.map(token => token.text),
    )
    this.info = {
      tokens,
      layers: config.layers.map((layer, i) => layerInfo(layer, i, config.ropes)),
      hiddenSize: config.hiddenSize,
      causal: !config.encoder,
      bytes: states.reduce((n, state) => n + state.byteLength, 0),
    }
  }

  /** Bytes that a reading of so many tokens keeps. */
  static bytesOf({ config }: Pick<Model, 'config'>, tokens: number): number {
    return (config.nLayers + 1) * tokens * config.hiddenSize * 4
  }

  /** Reads the tokens in one step. What `work.pause` throws ends it. */
  static async read(
    model: Model,
    tokenizer: ReadingTokenizer,
    tokens: ArrayLike<number>,
    work: Sharing,
  ): Promise<TextReading> {
    const text = wholeText(Int32Array.from(tokens), model.config.encoder)
    return new TextReading(model, tokenizer, text, await readStates(model.kernels, model.decoder, text, work))
  }

  async attention(question: Questions['attention'], work: Sharing): Promise<Answers['attention']> {
    const context = { keys: this.#text.tokens.length, causal: this.info.causal, measured: this.#measured }
    return this.#onLayer(question.layer, work, layer =>
      attentionMaps(this.#model.kernels, layer, question, context, work),
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
    await this.#turn
    this.#watched?.dispose()
    this.#watched = null
  }

  /** One question about a layer at a time: the next one may be about another. */
  #onLayer<T>(index: number, work: Sharing, ask: (layer: WatchedLayer) => Promise<T>): Promise<T> {
    const answer = this.#turn.then(async () => {
      if (this.#watched?.index !== index) {
        this.#watched?.dispose()
        this.#watched = null
        const { kernels, decoder } = this.#model
        const state = this.#states[index] as Float32Array
        this.#watched = await work.turn(() => WatchedLayer.of(kernels, decoder, this.#text, index, state, work.pause))
      }
      return ask(this.#watched)
    })
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

function layerInfo(
  { attention: a, rope, window }: LayerConfig,
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
