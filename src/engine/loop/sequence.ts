import { CacheFullError } from '../../cache/pool.ts'
import type { AttentionPath, PromptExtent } from '../../nn/attention/path.ts'
import type { StepInput } from '../../nn/step.ts'
import type { Speculation } from '../../speculation/speculation.ts'
import type { Timeline } from '../past/timeline.ts'
import type { PromptProgress } from '../types/options.ts'
import type { SessionState } from '../types/protocol.ts'
import type { Completion, FinishReason } from '../types/results.ts'
import type { Demand } from './scheduler.ts'
import type { TokenWriter } from './token-writer.ts'

export interface SequenceOptions {
  readonly timeline: Timeline
  /** All ids up to the end of the prompt, those that are cached included. */
  readonly prompt: readonly number[]
  /** What was written after it before. Default: nothing. */
  readonly written?: readonly number[]
  /** Of the prompt tokens to run; null: the last token of the timeline, which was generated, is run again. */
  readonly extent: PromptExtent | null
  readonly path?: AttentionPath | undefined
  /** Most tokens that the timeline may have. */
  readonly contextLength: number
  /** Makes room where the context is full; null: the text ends there. */
  readonly rolling: Rolling | null
  /** Who goes first for tokens and for memory: the higher. */
  readonly priority: number
  /** Guesses ahead; null: it does not. */
  readonly speculation: Speculation | null
  /** What comes of the logits. */
  readonly writer: TokenWriter
  /** Hears how far the prompt is read. Default: nobody. */
  readonly reading?: ((progress: PromptProgress) => void) | undefined
  ended(result: SequenceResult): void
}

/** In a full context `count` tokens after the first `keep` make room. */
export interface Rolling {
  readonly keep: number
  readonly count: number
}

export type SequenceResult =
  | { readonly completion: Completion; readonly state: SessionState }
  | { readonly error: unknown; readonly state: SessionState }

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
 * A prompt under way, as rows of the cache: which tokens it runs next and where their memory is. It reads its prompt,
 * writes, then settles: the last token is run too, without logits, so that the cache holds exactly the timeline.
 */
export class Sequence {
  readonly #options: SequenceOptions
  #extent: PromptExtent | null
  #reused: number
  /** The timeline so far. */
  #tokens: number[]
  /** How many of them are the prompt's. */
  #promptLength: number
  #stepsWaited = 0
  #finish: FinishReason | null = null
  #error: { readonly cause: unknown } | null = null
  #settles = false
  #full: CacheFullError | null = null
  #retired = false

  constructor(options: SequenceOptions) {
    this.#options = options
    this.#tokens = [...options.prompt, ...(options.written ?? [])]
    this.#promptLength = options.prompt.length
    this.#extent = options.extent
    this.#reused = options.timeline.cache.length
    if (options.writer.left === 0) this.#end('length')
    else if (this.#tokens.length === options.contextLength && !options.rolling) this.#end('context')
  }

  get priority(): number {
    return this.#options.priority
  }

  get demand(): Demand {
    const position = this.#options.timeline.cache.length
    const promptEnd = this.#promptLength
    const pending = this.#tokens.length - Math.max(position, promptEnd)
    return {
      position,
      promptLeft: Math.max(promptEnd - position, 0),
      pending,
      draftTokens: position >= promptEnd && pending === 1 ? this.#draftTokens() : 0,
      priority: this.priority,
      stepsWaited: this.#stepsWaited,
    }
  }

  /** Guesses at most `count` tokens beyond its next one. */
  async propose(count: number): Promise<readonly number[]> {
    try {
      return (await this.#options.speculation?.propose(this.#tokens, count)) ?? []
    } catch (error) {
      this.fail(error)
      return []
    }
  }

  /** Its next `count` tokens and a draft, with room for them made in the cache; null if there is no room. */
  part(count: number, draft: readonly number[]): Part | null {
    return (draft.length > 0 ? this.#part(count, draft) : null) ?? this.#part(count, [])
  }

  #part(count: number, draft: readonly number[]): Part | null {
    this.#full = null
    const { timeline, path } = this.#options
    const { cache } = timeline
    const position = cache.length
    try {
      cache.reserve(count + draft.length)
    } catch (error) {
      // A text that only settles is not held back for a row that costs little later.
      const whole = this.#settles && this.#promptRead()
      if (error instanceof CacheFullError && draft.length > 0) return null
      if (error instanceof CacheFullError && !whole) this.#full = error
      else this.fail(error)
      return null
    }
    const end = position + count
    const input: StepInput = {
      tokens: [...this.#tokens.slice(position, end), ...draft],
      cache,
      prompt: position < this.#promptLength ? this.#extent : null,
      logits: end < this.#tokens.length || this.#finish ? 'none' : draft.length > 0 ? 'all' : 'last',
      ...(path && { path }),
    }
    return { sequence: this, input, position, draft }
  }

  /** A share of its part has gone through the model. */
  tellReading({ input, position }: Part, share: number): void {
    if (input.prompt === null || this.hasEnded) return
    const tokens = Math.floor(position + share * input.tokens.length)
    this.#options.reading?.({ tokens, total: this.#promptLength })
  }

  get holdsMemory(): boolean {
    return this.#options.timeline.cache.bytes > 0
  }

  /** A step is over in which it had no part. */
  passedOver(): void {
    this.#stepsWaited++
  }

  /** There was no room for what `part` was asked for. */
  get waitsForRoom(): boolean {
    return this.#full !== null
  }

  /** The context is full, and the text rolls on: `roll` before the next part. */
  get mustRoll(): boolean {
    const { rolling, contextLength } = this.#options
    const goesOn = !this.#error && (!this.#finish || this.#settles)
    return rolling !== null && this.#tokens.length > contextLength && goesOn
  }

  /** Drops the oldest tokens but the first few, and goes on with the others. */
  async roll(): Promise<void> {
    const { rolling, timeline } = this.#options
    if (!rolling) return
    const { keep, count } = rolling
    try {
      await timeline.dropRows(this.#tokens, keep, keep + count)
      this.#tokens.splice(keep, count)
      this.#promptLength -= Math.max(0, Math.min(this.#promptLength - keep, count))
    } catch (error) {
      this.fail(error)
    }
  }

  /** Lets go of its rows, for others. */
  pause(): void {
    this.#full = null
    this.#options.timeline.truncate(0)
  }

  /** Goes on after a pause: what is still remembered is used, the rest computed again in the same way as before. */
  resume(): void {
    const { timeline, path } = this.#options
    const prompt = this.#tokens.slice(0, this.#promptLength)
    const { rows, extent } = timeline.reuse(prompt, { strict: true, ...(path && { path }) })
    this.#extent = extent
    this.#reused = Math.min(this.#reused, rows)
  }

  /** There will be no room either. */
  giveUp(): void {
    if (this.#full) this.fail(this.#full)
  }

  /**
   * The model has run its part; `logits`, each [vocab], are those of the tokens that wanted them. The step took `ms`; null:
   * it also read prompts.
   */
  ran({ input, position, draft }: Part, logits: readonly Float32Array[], ms: number | null): void {
    const { timeline, speculation } = this.#options
    this.#stepsWaited = 0
    const { accepted, stopped } = this.#accept(draft, logits)
    speculation?.checked(draft.length, accepted, ms)
    timeline.keepRun(position + input.tokens.length - draft.length + accepted)
    if (stopped) this.#cut()
  }

  /** Ends the text as it is: what is not yet computed of the prompt is forgotten. */
  abort(): void {
    if (this.#finish && !this.#settles) return
    if (!this.#promptRead()) this.#finish = 'aborted'
    this.#finish ??= 'aborted'
    this.#settles = false
  }

  fail(error: unknown): void {
    // The text is whole already; that its last token is not cached costs a little time later.
    if (this.#settles && this.#promptRead() && error instanceof CacheFullError) this.#settles = false
    else this.#error ??= { cause: error }
  }

  /** Whether it runs no further token. */
  get hasEnded(): boolean {
    const settled = !this.#settles || this.#options.timeline.cache.length === this.#tokens.length
    return this.#error !== null || (this.#finish !== null && settled)
  }

  /** Whether it has ended; reports the result once. */
  retired(): boolean {
    if (this.#retired) return true
    if (!this.hasEnded) return false
    this.#retired = true
    if (this.#error || this.#finish === 'aborted') this.#options.writer.showHeld()
    this.#options.ended(this.#result())
    return true
  }

  /** Writes on as long as what is drawn is what was guessed: the logits after a wrong guess are of another text. */
  #accept(draft: readonly number[], logits: readonly Float32Array[]): { accepted: number; stopped: boolean } {
    let accepted = 0
    for (const row of logits) {
      if (this.#finish || this.#error) break
      try {
        const { token, ends, stopped } = this.#options.writer.next(row, this.#room())
        if (token !== null) this.#tokens.push(token)
        if (ends) this.#end(ends)
        const held = token !== null && token === draft[accepted]
        if (held) accepted++
        if (stopped || !held) return { accepted, stopped }
      } catch (error) {
        this.fail(error)
      }
    }
    return { accepted, stopped: false }
  }

  /** Tokens that the timeline may still take. */
  #room(): number {
    const { contextLength, rolling } = this.#options
    return rolling ? Number.POSITIVE_INFINITY : contextLength - this.#tokens.length
  }

  /** How many tokens it would guess: none that could not join the text, or have no row. */
  #draftTokens(): number {
    const { speculation, writer, contextLength } = this.#options
    if (!speculation || this.#finish) return 0
    const rows = contextLength - this.#tokens.length
    return Math.max(Math.min(speculation.wanted, writer.left - 1, this.#room() - 1, rows), 0)
  }

  #end(reason: FinishReason): void {
    this.#finish = reason
    this.#settles = true
  }

  /** Takes the stop sequence back: the timeline ends where the text does. */
  #cut(): void {
    const { writer, timeline, contextLength } = this.#options
    const cut = writer.cutAt()
    const takenBack = writer.tokenIds.length - cut.keep
    // What has rolled out of the context is not to be taken back.
    const kept = Math.max(this.#tokens.length - takenBack, this.#promptLength)
    if (kept + cut.tail.length > contextLength) return
    writer.cut(cut)
    this.#tokens = [...this.#tokens.slice(0, kept), ...cut.tail]
    timeline.truncate(kept)
    // A window may have made the cache forget everything: the next prompt reads it again, if there is one.
    this.#settles = this.#promptRead()
  }

  #promptRead(): boolean {
    return this.#options.timeline.cache.length >= this.#promptLength
  }

  #result(): SequenceResult {
    const { timeline, extent, writer, prompt, speculation } = this.#options
    // A prompt that was given up before its first token has not happened; its rows stay for another try.
    const happened = writer.hasBegun || (!this.#error && this.#finish !== 'aborted')
    const generated = this.#tokens.length > this.#promptLength || extent === null
    if (happened) timeline.become(this.#tokens, generated)
    const state = timeline.state()
    if (this.#error) return { error: this.#error.cause, state }
    const usage = {
      promptTokens: prompt.length,
      cachedTokens: this.#reused,
      draftTokens: speculation?.drafted ?? 0,
      acceptedTokens: speculation?.accepted ?? 0,
    }
    return { completion: writer.completion(this.#finish ?? 'aborted', usage), state }
  }
}
