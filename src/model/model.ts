import type { CacheLayout } from '../cache/layout.ts'
import { BlockPool, type PoolOptions } from '../cache/pool.ts'
import { SequenceCache } from '../cache/sequence-cache.ts'
import type { CacheTypeName } from '../cache/types.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { Kernels, Recording } from '../kernels/contract/kernels.ts'
import { Arena } from '../nn/arena.ts'
import { longropeLimit, ropeFrequencies } from '../nn/attention/rope.ts'
import type { AttentionStep } from '../nn/attention/step.ts'
import { decoderLayer, type Layer, runLayer } from '../nn/block.ts'
import { modelCacheLayout } from '../nn/cache-layout.ts'
import type { ModelConfig } from '../nn/config.ts'
import { linear, normalise } from '../nn/layers.ts'
import { EDITED, type RowRules, rowProvenance, rowRules } from '../nn/provenance.ts'
import { planStep, type Step, type StepInput } from '../nn/step.ts'
import type { ModelWeights } from '../nn/weights.ts'
import { rowsOf, type Tensor, view } from '../tensor/tensor.ts'
import { recordShift, rowRuns } from './shift.ts'

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
const MOST_RECORDINGS = 32

/** Rows that move at once. */
const SHIFT_ROWS = 512

/** Numbers to copy out on the way, for tests, `verify` and pictures. One sequence only. */
export interface Capture {
  /** f32 [L + 1, T, D] (strided rows allowed): after the embedding and each layer, the last after the final norm. */
  readonly hidden?: Tensor
  /** f32 [L, H, T, S] (strided), filled with -inf: attention probabilities. */
  readonly attention?: Tensor
}

/** Is told which part of a step's layers is done, of 1. */
export type BetweenLayers = (done: number) => Promise<void>

/** A loaded model: weights and how to run them. Holds no sequence; those are `SequenceCache`s. */
export class Model {
  readonly config: ModelConfig
  readonly kernels: Kernels
  readonly layout: CacheLayout
  /** Where all its sequences' blocks come from. */
  readonly pool: BlockPool
  readonly #weights: ModelWeights
  readonly #layers: readonly Layer[]
  readonly #arena: Arena
  readonly #rowRules: RowRules
  readonly #ropes: readonly RopeSet[]
  /** Steps that may come again, by shape. */
  readonly #recorded = new Map<string, Recorded>()

  constructor(config: ModelConfig, weights: ModelWeights, kernels: Kernels, options: ModelOptions = {}) {
    const { cacheType = 'f16', blockTokens = 64, cache } = options
    this.config = config
    this.kernels = kernels
    this.layout = modelCacheLayout(config.layers, cacheType, blockTokens)
    this.#weights = weights
    this.#layers = weights.layers.map((w, i) => decoderLayer(config, this.layout, i, w))
    this.pool = new BlockPool(kernels, this.layout, cache)
    this.#arena = new Arena(kernels)
    this.#rowRules = rowRules(config)
    this.#ropes = config.ropes.map(rope => {
      const put = (beyond: boolean): Frequencies => {
        const { frequencies, factor } = ropeFrequencies(rope, beyond)
        const tensor = kernels.alloc('f64', [frequencies.length])
        kernels.upload(tensor, frequencies)
        return { tensor, factor }
      }
      const within = put(false)
      const limit = longropeLimit(rope) ?? Number.POSITIVE_INFINITY
      return { within, beyond: limit === Number.POSITIVE_INFINITY ? within : put(true), limit }
    })
  }

  /** An empty sequence that may grow to `maxTokens`. */
  sequence(maxTokens: number = this.config.maxPositions): SequenceCache {
    return new SequenceCache(this.kernels, this.pool, maxTokens)
  }

  /**
   * Runs the tokens of all inputs and appends them to their caches. Returns the wanted logits, f32 [n, vocab], in the
   * order of inputs and tokens; valid until the next call. `between` is awaited after each layer but the last; what it
   * throws ends the step, whose tokens then join no cache.
   */
  async forward(inputs: readonly StepInput[], capture?: Capture, between?: BetweenLayers): Promise<Tensor> {
    const { kernels: k } = this
    const arena = this.#arena
    for (const { cache, tokens } of inputs) cache.reserve(tokens.length)
    for (const { cache } of inputs) await cache.settle()
    arena.reset()
    const step = planStep(k, arena, inputs, this.layout.groups.length)
    const shape = capture || !k.resubmit ? null : this.#repeatableShape(inputs)
    const known = shape === null ? undefined : this.#recorded.get(shape)
    let logits = known?.logits
    if (known && logits) await k.resubmit?.(known.recording)
    else {
      logits = await this.#record(step, inputs, capture, between)
      await k.submit()
      if (shape !== null) this.#keepRecording(shape, logits)
    }
    for (const { tokens, cache, prompt, path } of inputs) {
      cache.commit(tokens, rowProvenance(this.#rowRules, cache.length, tokens.length, prompt, path))
    }
    return logits
  }

  /**
   * Copies rows start .. end of one sequence behind the end of another, and commits them as edited. Throws CacheFullError,
   * and UnsupportedModelError where positions are not rotary.
   */
  async shift(from: SequenceCache, to: SequenceCache, start: number, end: number): Promise<void> {
    if (this.config.learnedPositions) {
      throw new UnsupportedModelError(
        `${this.config.modelType} learned a vector per position, which every cached row has taken in: its tokens cannot ` +
          'move. Reset the session and give the text that is left as a prompt.',
      )
    }
    to.reserve(end - start)
    await to.settle()
    const frequencies = (rope: number, beyond: boolean): Tensor => {
      const set = this.#ropes[rope] as RopeSet
      return (beyond ? set.beyond : set.within).tensor
    }
    const parts = { kernels: this.kernels, arena: this.#arena, layout: this.layout, config: this.config, frequencies }
    const distance = start - to.length
    for (const run of rowRuns(from.provenance, start, end, SHIFT_ROWS)) {
      this.#arena.reset()
      recordShift(parts, from, to, run, distance)
      await this.kernels.submit()
      const rows = [run.start, run.start + run.count] as const
      to.commit(
        from.ids.slice(...rows),
        from.provenance.slice(...rows).map(flags => flags | EDITED),
      )
    }
  }

  dispose(): void {
    this.#arena.dispose()
    this.pool.dispose()
  }

  async #record(
    step: Step,
    inputs: readonly StepInput[],
    capture: Capture | undefined,
    between: BetweenLayers | undefined,
  ): Promise<Tensor> {
    const { kernels: k } = this
    const x = this.#embed(step) // [T, D]
    const angles = this.#ropes.map((_, i) => this.#angles(step, inputs, i))
    const views = this.#layers.map((layer, i) => this.#attentionStep(step, layer, angles, capture, i))
    if (capture?.hidden) k.copy(nth(capture.hidden, 0), x)
    for (const [i, layer] of this.#layers.entries()) {
      runLayer(views[i] as AttentionStep, this.config, layer, x)
      const done = (i + 1) / this.#layers.length
      if (capture?.hidden && done < 1) k.copy(nth(capture.hidden, i + 1), x)
      if (between && done < 1) {
        await k.submit()
        await between(done)
      }
    }
    return this.#output(step, x, capture)
  }

  /**
   * Steps that generate repeat the same operations on the same addresses; only buffers change. Equal shapes mean equal
   * records. null: a step that is not likely to come again.
   */
  #repeatableShape(inputs: readonly StepInput[]): string | null {
    let shape = `${this.#arena.generation}`
    for (const { tokens, cache, prompt, logits, path } of inputs) {
      if (prompt || path || tokens.length > REPEATED_ROWS) return null
      shape += ` ${tokens.length} ${logits}`
      for (const { limit } of this.#ropes) {
        // How many of the tokens LongRoPE's short factors turn.
        if (limit < cache.length + tokens.length) shape += ` ${Math.max(limit - cache.length, 0)}`
        else shape += ' all'
      }
    }
    return shape
  }

  #keepRecording(shape: string, logits: Tensor): void {
    const recording = this.kernels.recording?.()
    if (!recording) return
    // Those of an arena that has grown since are never asked for again.
    if (this.#recorded.size === MOST_RECORDINGS) this.#recorded.clear()
    this.#recorded.set(shape, { recording, logits })
  }

  #embed(step: Step): Tensor {
    const { kernels: k, config } = this
    const x = this.#arena.take([step.tokens, config.hiddenSize])
    k.embed(x, this.#weights.embedding, step.ids, config.embeddingScale)
    if (this.#weights.positions) {
      const mark = this.#arena.mark()
      const p = this.#arena.take(x.shape)
      k.embed(p, this.#weights.positions, step.positions)
      k.axpby(x, 1, x, 1, p)
      this.#arena.release(mark)
    }
    return x
  }

  /** cos and sin of every token for one rope, f32 [T, dim]. */
  #angles(step: Step, inputs: readonly StepInput[], rope: number): Tensor {
    const { within, beyond, limit } = this.#ropes[rope] as RopeSet
    const table = this.#arena.take([step.tokens, 2 * (within.tensor.shape[0] as number)])
    let row = 0
    for (const { tokens, cache, prompt } of inputs) {
      // A prompt that goes beyond the original positions takes the long factors throughout; generated tokens take
      // them from there on: what transformers does with a cache, told by position instead of by call.
      const from = prompt ? (prompt.end > limit ? 0 : Number.POSITIVE_INFINITY) : limit
      const short = Math.min(Math.max(from - cache.length, 0), tokens.length)
      const write = (start: number, count: number, f: Frequencies) => {
        if (count === 0) return
        const positions = rowsOf(step.positions, start, count)
        this.kernels.ropeTable(rowsOf(table, start, count), positions, f.tensor, f.factor)
      }
      write(row, short, within)
      write(row + short, tokens.length - short, beyond)
      row += tokens.length
    }
    return table
  }

  #attentionStep(
    step: Step,
    layer: Layer,
    angles: readonly Tensor[],
    capture: Capture | undefined,
    index: number,
  ): AttentionStep {
    const { rope } = layer.config
    return {
      kernels: this.kernels,
      arena: this.#arena,
      tokens: step.tokens,
      group: step.groups[layer.group] as Step['groups'][number],
      cosSin: rope === null ? null : (angles[rope] as Tensor),
      pattern: capture?.attention ? nth(capture.attention, index) : null,
    }
  }

  #output(step: Step, x: Tensor, capture: Capture | undefined): Tensor {
    const { kernels: k, config } = this
    const { finalNorm, output } = this.#weights
    const norm = (t: Tensor) => finalNorm && normalise(k, t, t, finalNorm)
    const n = step.logitRows.shape[0] as number
    const rows = this.#arena.take([n, config.hiddenSize])
    const logits = this.#arena.take([n, config.vocabSize])
    k.gatherRows(rows, x, step.logitRows)
    norm(rows)
    linear(k, logits, rows, output, { scale: config.logitScale })
    if (capture?.hidden) {
      norm(x)
      k.copy(nth(capture.hidden, config.nLayers), x)
    }
    return logits
  }
}

/** A step's operations, and where its logits lie. */
interface Recorded {
  readonly recording: Recording
  readonly logits: Tensor
}

/** A rope's frequencies within and, for LongRoPE, beyond the original positions; `limit` is where those end. */
interface RopeSet {
  readonly within: Frequencies
  readonly beyond: Frequencies
  readonly limit: number
}

interface Frequencies {
  /** f64 [dim / 2] */
  readonly tensor: Tensor
  readonly factor: number
}

/** Entry i of the first axis, strides kept. */
function nth(t: Tensor, i: number): Tensor {
  return view(t, i * (t.strides[0] as number), t.shape.slice(1), t.strides.slice(1))
}
