import type { Speculation } from '../../speculation/speculation.ts'
import type { SessionState } from '../types/protocol.ts'
import type { Completion, FinishReason } from '../types/results.ts'
import { type LogitsConsumer, Sequence, type SequenceOptions } from './sequence.ts'
import type { TokenWriter } from './token-writer.ts'

export interface TextRunOptions extends Omit<SequenceOptions, 'consumer' | 'generated'> {
  /** Most tokens that the timeline may have. */
  readonly contextLength: number
  /** Makes room where the context is full; null: the text ends there. */
  readonly rolling: Rolling | null
  /** Guesses ahead; null: it does not. */
  readonly speculation: Speculation | null
  readonly writer: TokenWriter
  ended(result: TextResult): void
}

/** In a full context `count` tokens after the first `keep` make room. */
export interface Rolling {
  readonly keep: number
  readonly count: number
}

export type TextResult =
  | { readonly completion: Completion; readonly state: SessionState }
  | { readonly error: unknown; readonly state: SessionState }

/** A prompt that is answered token by token: what its sequence's logits become, and what the timeline is in the end. */
export class TextRun implements LogitsConsumer {
  readonly sequence: Sequence
  readonly #options: TextRunOptions
  #finish: FinishReason | null = null
  /** A stop sequence is to be taken back. */
  #stopped = false

  constructor(options: TextRunOptions) {
    const { writer, prompt, contextLength, rolling } = options
    this.#options = options
    this.sequence = new Sequence({ ...options, consumer: this })
    if (writer.left === 0) this.#finish = 'length'
    else if (prompt.length === contextLength && !rolling) this.#finish = 'context'
  }

  get done(): boolean {
    return this.#finish !== null
  }

  /** None that could not join the text, or have no row. */
  get draftTokens(): number {
    const { speculation, writer, contextLength } = this.#options
    if (!speculation || this.#finish) return 0
    const rows = contextLength - this.sequence.rows.ids.length
    return Math.max(Math.min(speculation.wanted, writer.left - 1, this.#room - 1, rows), 0)
  }

  async propose(count: number): Promise<readonly number[]> {
    return (await this.#options.speculation?.propose(this.sequence.rows.ids, count)) ?? []
  }

  /** Where the context is full, drops the oldest tokens but the first few. */
  prepare(): Promise<void> | null {
    const { rolling, contextLength } = this.#options
    return rolling && this.sequence.rows.ids.length > contextLength ? this.#roll(rolling) : null
  }

  /** Writes on as long as what is drawn is what was guessed: the logits after a wrong guess are of another text. */
  take(logits: readonly Float32Array[], draft: readonly number[], ms: number | null): number {
    const { speculation, writer } = this.#options
    let accepted = 0
    try {
      for (const row of logits) {
        if (this.#finish) break
        const { token, ends, stopped } = writer.next(row, this.#room)
        if (token !== null) this.sequence.rows.push(token)
        if (ends) this.#finish = ends
        this.#stopped = stopped
        if (token === null || token !== draft[accepted]) break
        accepted++
      }
    } catch (error) {
      this.sequence.fail(error)
    }
    speculation?.checked(draft.length, accepted, ms)
    return accepted
  }

  /** Takes the stop sequence back: the timeline ends where the text does. */
  taken(): void {
    if (!this.#stopped) return
    this.#stopped = false
    const { writer, timeline, contextLength } = this.#options
    const { rows } = this.sequence
    const cut = writer.cutAt()
    const takenBack = writer.tokenIds.length - cut.keep
    // What has rolled out of the context is not to be taken back.
    const kept = Math.max(rows.ids.length - takenBack, rows.promptLength)
    if (kept + cut.tail.length > contextLength) return
    writer.cut(cut)
    rows.cut(kept, cut.tail)
    timeline.truncate(kept)
    // A window may have made the cache forget everything: the next prompt reads it again, if there is one.
    if (rows.promptLeft > 0) this.sequence.stop()
  }

  aborted(): void {
    if (this.sequence.rows.promptLeft > 0) this.#finish = 'aborted'
    this.#finish ??= 'aborted'
  }

  ended(error: { readonly cause: unknown } | null): void {
    const { timeline, extent, writer, ended } = this.#options
    const aborted = this.#finish === 'aborted'
    if (error || aborted) writer.showHeld()
    // A prompt that was given up before its first token has not happened; its rows stay for another try.
    if (writer.hasBegun || (!error && !aborted)) {
      const { ids, promptLength } = this.sequence.rows
      timeline.become(ids, ids.length > promptLength || extent === null)
    }
    const state = timeline.state()
    ended(error ? { error: error.cause, state } : { completion: this.#completion(), state })
  }

  #completion(): Completion {
    const { writer, prompt, speculation } = this.#options
    return writer.completion(this.#finish ?? 'aborted', {
      promptTokens: prompt.length,
      cachedTokens: this.sequence.reused,
      draftTokens: speculation?.drafted ?? 0,
      acceptedTokens: speculation?.accepted ?? 0,
    })
  }

  async #roll({ keep, count }: Rolling): Promise<void> {
    const { rows } = this.sequence
    await this.#options.timeline.dropRows(rows.ids, keep, keep + count)
    rows.drop(keep, count)
  }

  /** Tokens that the timeline may still take. */
  get #room(): number {
    const { contextLength, rolling } = this.#options
    return rolling ? Number.POSITIVE_INFINITY : contextLength - this.sequence.rows.ids.length
  }
}
