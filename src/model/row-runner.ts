import type { SequenceCache } from '../cache/sequence-cache.ts'
import type { AttentionPath, PromptExtent } from '../nn/attention/path.ts'
import type { Capture } from '../nn/decoder.ts'
import type { StepInput } from '../nn/step.ts'
import type { Model } from './model.ts'

export interface RowRunnerOptions {
  /** Holds rows of the first ids. */
  readonly cache: SequenceCache
  readonly ids: ArrayLike<number>
  /** Ids of the prompt; those behind them were generated. Default: all. */
  readonly promptLength?: number
  /** Of the prompt tokens to run; null: they are run as generated ones. */
  readonly extent: PromptExtent | null
  readonly path?: AttentionPath | undefined
}

/**
 * The ids of one sequence, and which of them run next: those behind the cached rows, prompt tokens in chunks of any size, then
 * generated ones. Whoever schedules takes inputs for a step with others; `step` runs one alone.
 */
export class RowRunner {
  readonly cache: SequenceCache
  readonly #path: AttentionPath | undefined
  #ids: number[]
  #promptLength: number
  #extent: PromptExtent | null

  constructor({ cache, ids, promptLength = ids.length, extent, path }: RowRunnerOptions) {
    this.cache = cache
    this.#ids = Array.from(ids)
    this.#promptLength = promptLength
    this.#extent = extent
    this.#path = path
  }

  get ids(): readonly number[] {
    return this.#ids
  }

  /** Ids of the prompt. */
  get promptLength(): number {
    return this.#promptLength
  }

  /** Prompt tokens without rows. */
  get promptLeft(): number {
    return Math.max(this.#promptLength - this.cache.length, 0)
  }

  /** Generated tokens without rows; negative where the cache has rows of no id. */
  get pending(): number {
    return this.#ids.length - Math.max(this.cache.length, this.#promptLength)
  }

  /** Adds a generated token. */
  push(id: number): void {
    this.#ids.push(id)
  }

  /** The ids are now the first `keep`, then `tail`; rows are the caller's to truncate. */
  cut(keep: number, tail: readonly number[]): void {
    this.#ids.splice(keep, this.#ids.length, ...tail)
  }

  /** Takes `count` ids from index `start` on out; rows are the caller's to drop. */
  drop(start: number, count: number): void {
    this.#ids.splice(start, count)
    this.#promptLength -= Math.max(0, Math.min(this.#promptLength - start, count))
  }

  /** The prompt's rows are run again, with another extent. */
  restart(extent: PromptExtent): void {
    this.#extent = extent
  }

  /** The next `count` ids and a draft behind them, with room reserved for their rows. Throws CacheFullError. */
  input(count: number, logits: StepInput['logits'], draft: readonly number[] = []): StepInput {
    const { cache } = this
    const position = cache.length
    cache.reserve(count + draft.length)
    return {
      tokens: [...this.#ids.slice(position, position + count), ...draft],
      cache,
      prompt: position < this.#promptLength ? this.#extent : null,
      logits,
      ...(this.#path && { path: this.#path }),
    }
  }

  /** Runs the next `count` ids as a step of their own. The logits asked for, [n, vocab]. */
  async step(model: Model, count: number, logits: StepInput['logits'], capture?: Capture): Promise<Float32Array> {
    const rows = await model.forward([this.input(count, logits)], capture)
    return logits === 'none' ? new Float32Array(0) : ((await model.kernels.memory.read(rows)) as Float32Array)
  }
}
