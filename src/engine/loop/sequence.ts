import { CacheFullError } from '../../cache/pool.ts'
import { RowRunner } from '../../model/row-runner.ts'
import type { AttentionPath, PromptExtent } from '../../nn/attention/path.ts'
import type { StepInput } from '../../nn/step.ts'
import type { Timeline } from '../past/timeline.ts'
import type { PromptProgress } from '../types/options/prompt.ts'
import type { Demand } from './scheduler.ts'

export interface SequenceOptions {
  readonly timeline: Timeline
  /** All ids up to the end of the prompt, cached ones included. */
  readonly prompt: readonly number[]
  /** What was generated after it before. Default: nothing. */
  readonly generated?: readonly number[]
  /** Of the prompt tokens to run; null: the last token of the timeline, which was generated, is run again. */
  readonly extent: PromptExtent | null
  readonly path?: AttentionPath | undefined
  /** Who goes first for tokens and for memory: the higher. */
  readonly priority: number
  readonly consumer: LogitsConsumer
  /** Its rows are forgotten after each token and computed again, as without a cache. Default false. */
  readonly forgets?: boolean
  /** Called with how far the prompt is read. Default: nobody asks. */
  readonly reading?: ((progress: PromptProgress) => void) | undefined
}

/** What a sequence is run for. */
export interface LogitsConsumer {
  /** No further logits are wanted: the sequence ends when all its ids have rows. */
  readonly done: boolean
  /** Draft tokens that it would have checked behind the next token. Default: none. */
  readonly draftTokens?: number
  /** At most `count` guesses of what follows. */
  propose?(count: number): Promise<readonly number[]>
  /** It reads the model's states. Default false. */
  readonly wantsStates?: boolean
  /** The states, [count, D], of tokens `start` .. `start + count` that stay; they may be overwritten when this returns. */
  readStates?(start: number, count: number, states: Float32Array): void
  /** Called before each step; null: there is nothing to do. */
  prepare?(): Promise<void> | null
  /**
   * Takes the logits [vocab] of the last token run, then of each token of a draft behind it, and gives the sequence ids to run
   * next. Returns how many tokens of the draft it took. The step took `ms`; null: it also read prompts.
   */
  take(logits: readonly Float32Array[], draft: readonly number[], ms: number | null): number
  /** It holds logits back until something arrives from outside: the promise. Null: it does not. */
  arriving?(): Promise<void> | null
  /** Called after `take`, when the timeline has the rows that stay. */
  taken?(): void
  aborted?(): void
  ended(error: { readonly cause: unknown } | null): void
}

/** A sequence's share of a step. */
export interface Part {
  readonly sequence: Sequence
  /** Its next tokens, then the draft. */
  readonly input: StepInput
  /** Of the input's first token. */
  readonly position: number
  /** Tokens that were guessed. */
  readonly draft: readonly number[]
}

/**
 * Ids under way in the loop: which run next, where their memory is, and when it ends. First the prompt, then what its consumer
 * makes of the logits; last it settles: what has no rows yet is run without logits, so that the cache holds exactly the ids, or
 * all but the last where layers carry states.
 */
export class Sequence {
  readonly #options: SequenceOptions
  readonly rows: RowRunner
  #reused: number
  #stepsWaited = 0
  #reportedTokens = 0
  #error: { readonly cause: unknown } | null = null
  /** Ids without rows are not run any more. */
  #stopped = false
  #full: CacheFullError | null = null
  #retired = false

  constructor(options: SequenceOptions) {
    const { timeline, prompt, generated = [], extent, path } = options
    const { cache } = timeline
    this.#options = options
    this.rows = new RowRunner({ cache, ids: [...prompt, ...generated], promptLength: prompt.length, extent, path })
    this.#reused = cache.length
  }

  get priority(): number {
    return this.#options.priority
  }

  /** Rows that were cached already, of those that the whole sequence still stands on. */
  get reused(): number {
    return this.#reused
  }

  get demand(): Demand {
    const { promptLeft, pending, cache } = this.rows
    return {
      position: cache.length,
      promptLeft,
      pending,
      draftTokens: promptLeft === 0 && pending === 1 ? (this.#options.consumer.draftTokens ?? 0) : 0,
      priority: this.priority,
      stepsWaited: this.#stepsWaited,
    }
  }

  /** Whether it reads the model's states of its part. */
  get wantsStates(): boolean {
    return this.#options.consumer.wantsStates ?? false
  }

  /** Before it takes part in a step; null: there is nothing to wait for. */
  prepare(): Promise<void> | null {
    return this.#options.consumer.prepare?.()?.catch(error => this.fail(error)) ?? null
  }

  /** Resolves when it may go on; null: it waits for nothing from outside. */
  arriving(): Promise<void> | null {
    return this.#options.consumer.arriving?.() ?? null
  }

  /** Guesses at most `count` tokens beyond its next one. */
  async propose(count: number): Promise<readonly number[]> {
    try {
      return (await this.#options.consumer.propose?.(count)) ?? []
    } catch (error) {
      this.fail(error)
      return []
    }
  }

  /** Its next `count` tokens and a draft, with room for them in the cache; null if there is no room. */
  part(count: number, draft: readonly number[]): Part | null {
    return (draft.length > 0 ? this.#part(count, draft) : null) ?? this.#part(count, [])
  }

  #part(count: number, draft: readonly number[]): Part | null {
    this.#full = null
    const { rows } = this
    const position = rows.cache.length
    const isLast = position + count === rows.ids.length && !this.#options.consumer.done
    const logits = !isLast ? 'none' : draft.length > 0 ? 'all' : 'last'
    try {
      return { sequence: this, input: rows.input(count, logits, draft), position, draft }
    } catch (error) {
      if (!(error instanceof CacheFullError)) this.fail(error)
      else if (draft.length > 0) return null
      // A text that only settles is not held back for a row that costs little later.
      else if (this.#isWhole) this.#stopped = true
      else this.#full = error
      return null
    }
  }

  /** A share of its part has gone through the model. */
  reportReading({ input, position }: Part, share: number): void {
    if (input.prompt === null || this.hasEnded) return
    const tokens = Math.floor(position + share * input.tokens.length)
    if (tokens === this.#reportedTokens) return
    this.#reportedTokens = tokens
    this.#options.reading?.({ tokens, total: this.rows.promptLength })
  }

  get holdsMemory(): boolean {
    return this.rows.cache.bytes > 0
  }

  /** A step is over in which it had no part. */
  passedOver(): void {
    this.#stepsWaited++
  }

  /** There was no room for what `part` was asked for. */
  get waitsForRoom(): boolean {
    return this.#full !== null
  }

  /** Lets go of its rows, for others. */
  pause(): void {
    this.#full = null
    this.#options.timeline.truncate(0)
  }

  /** Goes on after a pause: what is still remembered is used, the rest computed again in the same way as before. */
  resume(): void {
    const { timeline, path } = this.#options
    const prompt = this.rows.ids.slice(0, this.rows.promptLength)
    const { rows, extent } = timeline.reuse(prompt, { strict: true, ...(path && { path }) })
    this.rows.restart(extent)
    this.#reused = Math.min(this.#reused, rows)
  }

  /** There will be no room either. */
  giveUp(): void {
    if (this.#full) this.fail(this.#full)
  }

  /** The model has run its part; `logits`, each [vocab], are those of the tokens that wanted them, `states`, [tokens, D], those of all. */
  ran(
    { input, position, draft }: Part,
    logits: readonly Float32Array[],
    ms: number | null,
    states: Float32Array | null = null,
  ): void {
    const { timeline, consumer } = this.#options
    this.#stepsWaited = 0
    const accepted = this.#error ? 0 : consumer.take(logits, draft, ms)
    if (this.#options.forgets && logits.length > 0 && this.rows.pending > 0 && !consumer.done) {
      this.rows.restart(timeline.anew(this.rows.ids.slice(0, this.rows.promptLength)).extent)
      consumer.taken?.()
      return
    }
    const kept = input.tokens.length - draft.length + accepted
    const end = position + kept
    if (states) consumer.readStates?.(position, kept, states.subarray(0, (states.length / input.tokens.length) * kept))
    const { blockTokens, length } = timeline.cache
    const fillsBlock = Math.floor(end / blockTokens) > Math.floor(position / blockTokens)
    // Otherwise no guess is to be taken back, and there is nothing to share or to let go of.
    if (fillsBlock || length > end || timeline.cache.hasStates) timeline.keepRun(end)
    consumer.taken?.()
  }

  /** Ends it as it is: ids that have no rows get none. */
  abort(): void {
    if (this.#options.consumer.done && this.#stopped) return
    this.#options.consumer.aborted?.()
    this.#stopped = true
  }

  /** Ends it without running what is left. */
  stop(): void {
    this.#stopped = true
  }

  fail(error: unknown): void {
    // The text is whole already; that its last token is not cached costs a little time later.
    if (this.#isWhole && error instanceof CacheFullError) this.#stopped = true
    else this.#error ??= { cause: error }
  }

  /** Whether it runs no further token. */
  get hasEnded(): boolean {
    if (this.#error || this.#stopped) return true
    return this.#options.consumer.done && this.#rowsMissing <= 0
  }

  /** Whether it has ended; reports so once. */
  retired(): boolean {
    if (this.#retired) return true
    if (!this.hasEnded) return false
    this.#retired = true
    this.#options.consumer.ended(this.#error)
    return true
  }

  /** A generated last token stays without a row where a state could not go back to before it: it is run for its logits when the text goes on. */
  get #rowsMissing(): number {
    const { ids, cache, promptLeft } = this.rows
    return (
      ids.length - cache.length - (cache.hasStates && promptLeft === 0 && ids.length > this.rows.promptLength ? 1 : 0)
    )
  }

  /** Its prompt is read and no logits are wanted: only rows are missing. */
  get #isWhole(): boolean {
    return this.#options.consumer.done && !this.#stopped && this.rows.promptLeft === 0
  }
}
