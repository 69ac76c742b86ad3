import type { AttentionPath, PromptExtent } from '../attention/path.ts'
import { CacheFullError } from '../cache/pool.ts'
import type { Model } from '../model/model.ts'
import type { StepInput } from '../model/step.ts'
import type { TokenHistory } from '../sampling/history.ts'
import type { Sampler } from '../sampling/sampler.ts'
import type { SessionState } from './protocol.ts'
import type { Waiting } from './scheduler.ts'
import type { TextStream } from './text-stream.ts'
import type { Timeline } from './timeline.ts'
import type { Chunk, Completion, FinishReason } from './types.ts'

export interface SequenceOptions {
  readonly timeline: Timeline
  /** All ids up to the end of the prompt, those that are cached included. */
  readonly prompt: readonly number[]
  /** Of the prompt tokens to run; null: the last token of the timeline, which was generated, is run again. */
  readonly extent: PromptExtent | null
  readonly path?: AttentionPath | undefined
  readonly maxTokens: number
  /** Most tokens that the timeline may have. */
  readonly contextLength: number
  /** Makes room where the context is full; null: the text ends there. */
  readonly rolling: Rolling | null
  /** Tokens that end the text. */
  readonly eos: ReadonlySet<number>
  readonly sampler: Pick<Sampler, 'seed' | 'sample'>
  /** For the sampler's penalties. */
  readonly history: TokenHistory
  readonly text: Pick<TextStream, 'push' | 'flush' | 'release' | 'tokensOf'>
  readonly now: () => number
  /** When the prompt was asked for, in the clock of `now`. */
  readonly asked: number
  emit(chunk: Chunk): void
  ended(result: SequenceResult): void
}

/** In a full context `count` tokens after the first `keep` make room. */
export interface Rolling {
  readonly keep: number
  readonly count: number
  readonly shift: Model['shift']
}

export type SequenceResult =
  | { readonly completion: Completion; readonly state: SessionState }
  | { readonly error: unknown; readonly state: SessionState }

/**
 * A prompt under way: which tokens it runs next and what becomes of its logits. It reads its prompt, generates, then
 * settles: the last token is run too, without logits, so that the cache holds exactly the timeline.
 */
export class Sequence {
  readonly #options: SequenceOptions
  #extent: PromptExtent | null
  #reused: number
  /** When it began to run. */
  readonly #began: number
  /** The timeline so far. */
  #tokens: number[]
  /** How many of them are the prompt's. */
  #promptLength: number
  /** What was written and has rolled out of the context. */
  readonly #rolledOut: number[] = []
  #text = ''
  #first: number | null = null
  #last: number
  #finish: FinishReason | null = null
  #error: { readonly cause: unknown } | null = null
  #settles = false
  #full: CacheFullError | null = null
  #retired = false

  constructor(options: SequenceOptions) {
    this.#options = options
    this.#tokens = [...options.prompt]
    this.#promptLength = options.prompt.length
    this.#extent = options.extent
    this.#reused = options.timeline.cache.length
    this.#began = options.now()
    this.#last = this.#began
    if (options.maxTokens === 0) this.#end('length')
    else if (options.prompt.length === options.contextLength && !options.rolling) this.#end('context')
  }

  get waiting(): Waiting {
    const position = this.#options.timeline.cache.length
    const promptEnd = this.#promptLength
    return {
      position,
      promptLeft: Math.max(promptEnd - position, 0),
      owed: this.#tokens.length - Math.max(position, promptEnd),
    }
  }

  /** Its next `count` tokens, with room for them made in the cache; null if there are none or there is no room. */
  part(count: number): { sequence: Sequence; input: StepInput; position: number } | null {
    this.#full = null
    if (count === 0) return null
    const { timeline, path } = this.#options
    const { cache } = timeline
    const position = cache.length
    try {
      cache.reserve(count)
    } catch (error) {
      // A text that only settles is not held back for a row that costs little later.
      const whole = this.#settles && this.#promptRead()
      if (error instanceof CacheFullError && !whole) this.#full = error
      else this.fail(error)
      return null
    }
    const end = position + count
    const input: StepInput = {
      tokens: this.#tokens.slice(position, end),
      cache,
      prompt: position < this.#promptLength ? this.#extent : null,
      logits: end === this.#tokens.length && this.#finish === null ? 'last' : 'none',
      ...(path && { path }),
    }
    return { sequence: this, input, position }
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
    const { keep, count, shift } = rolling
    try {
      await timeline.dropRows(this.#tokens, keep, keep + count, shift)
      const ofPrompt = Math.max(0, Math.min(this.#promptLength - keep, count))
      const dropped = this.#tokens.splice(keep, count)
      this.#rolledOut.push(...dropped.slice(ofPrompt))
      this.#promptLength -= ofPrompt
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

  ran(input: StepInput, position: number): void {
    this.#options.timeline.ran(input, position)
  }

  /** Takes the logits [vocab] of its last token: samples, decodes, emits, and sees whether the text ends. */
  accept(logits: Float32Array): void {
    if (this.#finish || this.#error) return
    try {
      const { sampler, history } = this.#options
      this.#take(sampler.sample(logits, history))
    } catch (error) {
      this.fail(error)
    }
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

  /** Whether it is done; reports the result once. */
  retired(): boolean {
    if (this.#retired) return true
    const settled = !this.#settles || this.#options.timeline.cache.length === this.#tokens.length
    const done = this.#error || (this.#finish && settled)
    if (!done) return false
    this.#retired = true
    if (this.#error || this.#finish === 'aborted') this.#showHeld()
    this.#options.ended(this.#result())
    return true
  }

  #take(token: number): void {
    const { text, eos, maxTokens, contextLength, rolling, history, now } = this.#options
    this.#last = now()
    this.#first ??= this.#last
    if (eos.has(token)) {
      const rest = text.flush()
      if (rest !== '') this.#emit(rest, token)
      this.#end('stop')
      return
    }
    this.#tokens.push(token)
    history.add(token)
    const { text: certain, stopped } = text.push(token)
    if (stopped) {
      this.#emit(certain, token)
      this.#end('stop')
      this.#cut()
      return
    }
    const enough = this.#rolledOut.length + this.#tokens.length - this.#promptLength === maxTokens
    const ends = enough || (this.#tokens.length === contextLength && !rolling)
    this.#emit(ends ? certain + text.flush() : certain, token)
    if (ends) this.#end(enough ? 'length' : 'context')
  }

  /** Tokens of the text, those that have rolled out included. */
  #written(): readonly number[] {
    return [...this.#rolledOut, ...this.#tokens.slice(this.#promptLength)]
  }

  /** A text that is given up joins the timeline as it is, so all of it is shown; but for an unfinished character. */
  #showHeld(): void {
    const rest = this.#options.text.release()
    const last = this.#tokens.at(-1)
    if (rest !== '' && last !== undefined) this.#emit(rest, last)
  }

  #emit(text: string, tokenId: number): void {
    this.#text += text
    this.#options.emit({ text, tokenId })
  }

  #end(reason: FinishReason): void {
    this.#finish = reason
    this.#settles = true
  }

  /** Takes the stop sequence back: the timeline ends where the text does. */
  #cut(): void {
    const { text, timeline, contextLength } = this.#options
    const { keep, tail } = text.tokensOf(this.#text, this.#written())
    const kept = this.#promptLength + Math.max(0, keep - this.#rolledOut.length)
    if (kept + tail.length > contextLength) return
    this.#tokens = [...this.#tokens.slice(0, kept), ...tail]
    timeline.truncate(kept)
    // A window may have made the cache forget everything: the next prompt reads it again, if there is one.
    this.#settles = this.#promptRead()
  }

  #promptRead(): boolean {
    return this.#options.timeline.cache.length >= this.#promptLength
  }

  #result(): SequenceResult {
    const { timeline, extent } = this.#options
    // A prompt that was given up before its first token has not happened; its rows stay for another try.
    const happened = this.#first !== null || (!this.#error && this.#finish !== 'aborted')
    const generated = this.#tokens.length > this.#promptLength || extent === null
    const state = happened ? timeline.become(this.#tokens, generated) : timeline.state()
    return this.#error ? { error: this.#error.cause, state } : { completion: this.#completion(), state }
  }

  #completion(): Completion {
    const { prompt, asked, sampler, now } = this.#options
    const tokenIds = this.#written()
    const first = this.#first ?? now()
    const promptMs = first - this.#began
    const generationMs = Math.max(this.#last - first, 0)
    const perSecond = (count: number, ms: number) => (ms > 0 ? (count * 1000) / ms : 0)
    return {
      text: this.#text,
      tokenIds,
      finishReason: this.#finish ?? 'aborted',
      usage: { promptTokens: prompt.length, cachedTokens: this.#reused, completionTokens: tokenIds.length },
      timings: {
        firstTokenMs: first - asked,
        promptMs,
        generationMs,
        promptTokensPerSecond: perSecond(prompt.length - this.#reused, promptMs),
        tokensPerSecond: perSecond(tokenIds.length - 1, generationMs),
      },
      seed: Number(sampler.seed),
    }
  }
}
