import type { CacheLayout } from '../cache/layout.ts'
import { BlockPool, type PoolOptions } from '../cache/pool.ts'
import { SequenceCache } from '../cache/sequence-cache.ts'
import { SourceRows } from '../cache/source-rows.ts'
import type { CacheTypeName } from '../cache/types.ts'
import type { Kernels, Recording } from '../kernels/contract/kernels.ts'
import { Arena } from '../nn/arena.ts'
import { type KeyStore, pagedKeys } from '../nn/attention/keys.ts'
import { modelCacheLayout } from '../nn/cache-layout.ts'
import type { ModelConfig } from '../nn/config.ts'
import { type Capture, type Decoder, decoder, decoderOf } from '../nn/decoder.ts'
import { EDITED } from '../nn/provenance.ts'
import { placeStep, planStep, putStep, type Step, type StepInput, type StepPlan } from '../nn/step.ts'
import type { ModelWeights } from '../nn/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { refuseEncoder, refuseMoving, refuseSource } from './refuse-encoder.ts'
import { recordShift, rowRuns } from './shift.ts'
import { readSources } from './source-reader.ts'
import { TextReader } from './text-reader.ts'

export interface ModelOptions {
  /** Type of the cached numbers. Default f16: as many bytes as bf16, eight times as exact, and normed latents fit. */
  readonly cacheType?: CacheTypeName
  /** Tokens of a cache block. Default 64. */
  readonly blockTokens?: number
  /** Bounds on all cache blocks together. Default: none. */
  readonly cache?: PoolOptions
}

/** Generated tokens of one sequence and step: one, or with a draft that is checked. */
const REPEATED_ROWS = 16
/** About 50 kB each. */
const MAX_RECORDINGS = 32

/** Rows that move at once. */
const SHIFT_ROWS = 512

/** Receives the fraction of a step's layers that is done; within a layer of much work, the same several times. */
export type BetweenLayers = (done: number) => Promise<void>

/** A loaded model: weights and how to run them. Holds no sequence; those are `SequenceCache`s. */
export class Model {
  readonly config: ModelConfig
  readonly kernels: Kernels
  readonly layout: CacheLayout
  /** Where all its sequences' blocks come from. */
  readonly pool: BlockPool
  readonly #decoder: Decoder
  /** What reads source texts; null: the model has none. */
  readonly #encoder: Decoder | null
  readonly #arena: Arena
  readonly #keys: KeyStore
  /** Steps that may come again, by shape. */
  readonly #recorded = new Map<string, Recorded>()

  constructor(config: ModelConfig, weights: ModelWeights, kernels: Kernels, options: ModelOptions = {}) {
    const { cacheType = 'f16', blockTokens = 64, cache } = options
    this.config = config
    this.kernels = kernels
    this.layout = modelCacheLayout(config.layers, cacheType, blockTokens)
    this.pool = new BlockPool(kernels, this.layout, cache)
    this.#decoder = decoderOf(config, weights)
    this.#encoder = config.source && weights.source ? decoderOf(config.source.encoder, weights.source) : null
    this.#arena = new Arena(kernels.memory)
    this.#keys = pagedKeys(kernels, this.#arena, this.layout)
  }

  /** An empty sequence that may grow to `maxTokens`. Throws UnsupportedModelError for an encoder. */
  sequence(maxTokens: number = this.config.maxPositions): SequenceCache {
    refuseEncoder(this.config, 'it writes no texts')
    return new SequenceCache(this.kernels, this.pool, maxTokens)
  }

  /** Room for what cross-attention reads of a source text: `SequenceCache.readFrom` takes it, and its rows are computed before they are read. */
  source(ids: readonly number[]): SourceRows {
    return new SourceRows(this.pool, ids)
  }

  /**
   * Computes the rows of sources that are held: `forward` does so of those that its inputs stand on. `capture`: of one source, by the
   * encoder's layers.
   */
  async readSources(
    sources: readonly SourceRows[],
    capture?: Pick<Capture, 'hidden' | 'attention'>,
    between?: BetweenLayers,
  ): Promise<void> {
    if (!this.#encoder) throw new TypeError(`Model.readSources: ${this.config.modelType} has no encoder`)
    this.#resetArena()
    const parts = { kernels: this.kernels, scratch: this.#arena, keys: this.#keys }
    const layers = readSources({ ...parts, encoder: this.#encoder, decoder: this.#decoder }, sources, capture)
    // The tokens that the step is about are all still to be run.
    const pause = between && (() => between(0))
    for (let layer = layers.next(); !layer.done; layer = layers.next()) {
      if (!between) continue
      await this.kernels.submit(pause)
      await between(0)
    }
    await this.kernels.submit(pause)
    for (const source of sources) source.commit()
  }

  /**
   * Runs the tokens of all inputs and appends them to their caches. Returns the wanted logits, f32 [n, vocab], in the
   * order of inputs and tokens; valid until the next call. `between` is awaited after each layer but the last, and within layers; what it
   * throws ends the step, whose tokens then join no cache.
   */
  async forward(inputs: readonly StepInput[], capture?: Capture, between?: BetweenLayers): Promise<Tensor> {
    return (await this.#run(inputs, false, capture, between)).logits
  }

  /** The same, with the states of all tokens after the final norm, f32 [T, D], in the order of inputs and tokens; valid as long. */
  async forwardStates(inputs: readonly StepInput[], between?: BetweenLayers): Promise<StatesOfStep> {
    return (await this.#run(inputs, true, undefined, between)) as StatesOfStep
  }

  async #run(
    inputs: readonly StepInput[],
    states: boolean,
    capture: Capture | undefined,
    between: BetweenLayers | undefined,
  ): Promise<Outcome> {
    const { kernels: k } = this
    for (const { cache, tokens } of inputs) cache.reserve(tokens.length)
    for (const { cache } of inputs) if (cache.hasCopies) await cache.settle()
    const sources = new Set(
      inputs.flatMap(({ cache }) => (cache.source && !cache.source.computed ? [cache.source] : [])),
    )
    if (sources.size > 0) await this.readSources([...sources], undefined, between)
    const plan = planStep(inputs, this.#keys, this.#decoder)
    const shape = capture || !k.recording ? null : repeatableShape(inputs, plan, states)
    const known = shape === null ? undefined : this.#recorded.get(shape)
    if (known) {
      putStep(k.memory, known.step, plan)
      await known.recording.run()
    }
    const outcome = known ?? (await this.#record(plan, shape, states, capture, between))
    for (const [i, { tokens, cache }] of inputs.entries()) cache.commit(tokens, plan.provenance[i] as Uint8Array)
    return outcome
  }

  /**
   * Copies rows start .. end of one sequence behind the end of another, and commits them as edited. Throws CacheFullError,
   * and UnsupportedModelError where positions are not rotary.
   */
  async shift(from: SequenceCache, to: SequenceCache, start: number, end: number): Promise<void> {
    refuseMoving(this.config)
    to.reserve(end - start)
    if (to.hasCopies) await to.settle()
    const { kernels, layout, config } = this
    const parts = { kernels, arena: this.#arena, layout, config, ropes: this.#decoder.ropes }
    const distance = start - to.length
    for (const run of rowRuns(from.provenance, start, end, SHIFT_ROWS)) {
      this.#resetArena()
      recordShift(parts, from, to, run, distance)
      await this.kernels.submit()
      const rows = [run.start, run.start + run.count] as const
      to.commit(
        from.ids.slice(...rows),
        from.provenance.slice(...rows).map(flags => flags | EDITED),
      )
    }
  }

  /**
   * For texts that are read whole and once, without a cache. Dispose of it when it is no longer needed. Throws UnsupportedModelError for an
   * encoder-decoder.
   */
  textReader(): TextReader {
    refuseSource(this.config, 'it makes no vectors of texts. Use an encoder')
    return new TextReader(this.kernels, this.#decoder)
  }

  /** What reads source texts, as a text over operations; null: the model has none. */
  get encoder(): Decoder | null {
    return this.#encoder
  }

  /** For those who run the text of the decoder themselves. */
  get decoder(): Decoder {
    return this.#decoder
  }

  dispose(): void {
    this.#arena.dispose()
    this.pool.dispose()
  }

  /** The step's numbers; its operations are kept where it has a shape. */
  async #record(
    plan: StepPlan,
    shape: string | null,
    wantsStates: boolean,
    capture: Capture | undefined,
    between: BetweenLayers | undefined,
  ): Promise<Outcome> {
    this.#resetArena()
    const step = placeStep(this.#arena, plan, this.#decoder.ropes)
    putStep(this.kernels.memory, step, plan)
    const backend = { ops: this.kernels, scratch: this.#arena, keys: this.#keys }
    const states = wantsStates ? this.#arena.take([plan.tokens, this.config.hiddenSize]) : null
    const text = decoder(backend, this.#decoder, step, states ? { ...capture, states } : capture)
    let layers = 0
    const pause = between && (() => between(layers))
    for (;;) {
      const { done, value } = text.next()
      if (done) {
        await this.kernels.submit(pause)
        const outcome = { logits: value, states }
        if (shape !== null) this.#keepRecording(shape, step, outcome)
        return outcome
      }
      if (!between) continue
      await this.kernels.submit(pause)
      layers = value
      await between(layers)
    }
  }

  #resetArena(): void {
    if (this.#arena.reset()) this.#recorded.clear()
  }

  #keepRecording(shape: string, step: Step, outcome: Outcome): void {
    const recording = this.kernels.recording?.()
    if (!recording) return
    if (this.#recorded.size === MAX_RECORDINGS) this.#recorded.clear()
    this.#recorded.set(shape, { recording, step, ...outcome })
  }
}

/**
 * Steps that generate repeat the same operations on the same addresses; only buffers change. Equal shapes mean equal
 * records. null: a step that is not likely to come again.
 */
function repeatableShape(inputs: readonly StepInput[], plan: StepPlan, states: boolean): string | null {
  let shape = states ? ' states' : ''
  // What lies behind longer block tables lies elsewhere.
  for (const { tables } of plan.groups) shape += ` ${tables.capacity}`
  for (const { tokens, prompt, logits, path } of inputs) {
    if (prompt || path || tokens.length > REPEATED_ROWS) return null
    shape += ` ${tokens.length} ${logits}`
  }
  return shape
}

/** Where the numbers of a step lie. */
interface Outcome {
  /** f32 [n, vocab] */
  readonly logits: Tensor
  /** f32 [T, D]; null: nobody asked. */
  readonly states: Tensor | null
}

/** Where the numbers of a step lie whose states were asked for. */
export interface StatesOfStep extends Outcome {
  readonly states: Tensor
}

/** A step's operations, and where its descriptors and numbers lie. */
interface Recorded extends Outcome {
  readonly recording: Recording
  readonly step: Step
}
