import { OptionError } from '../../errors.ts'
import type { Speculation } from '../../speculation/speculation.ts'
import type { SessionState } from '../types/protocol.ts'
import type { Completion, FinishReason } from '../types/results.ts'
import { type LogitsConsumer, Sequence, type SequenceOptions } from './sequence.ts'
import type { DrawMask } from './text-mask.ts'
import type { TokenWriter } from './token-writer.ts'

export interface TextRunOptions extends Omit<SequenceOptions, 'consumer'> {
  /** Most tokens that the timeline may have. */
  readonly contextLength: number
  /** Makes room where the context is full; null: the text ends there. */
  readonly rolling: Rolling | null
  /** Guesses ahead; null: it does not. */
  readonly speculation: Speculation | null
  readonly writer: TokenWriter
  /** Tokens that were read for the text, where it is not the prompt that was read. Default: the prompt's. */
  readonly promptTokens?: number
  /** Ids that come next whatever the logits are: drawn elsewhere, by a sampler that learns from logits. Default: none. */
  readonly retraced?: readonly number[]
  /** The text is complete before its first step. Default: it is not. */
  readonly complete?: FinishReason | null
  /** Which ids may be drawn next; it is also a rule of the writer. Default: any. */
  readonly mask?: DrawMask | null
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
  readonly #retraced: readonly number[]
  /** Of the retraced ids, those that have come. */
  #retrace = 0
  /** The draft is what the mask foresaw: no guess of whoever speculates. */
  #foresees = false
  /** A row of logits [vocab] whose mask is not there yet. */
  #held: Float32Array | null = null

  constructor(options: TextRunOptions) {
    const { writer, contextLength, rolling, retraced = [], complete = null } = options
    this.#options = options
    this.#retraced = retraced
    this.sequence = new Sequence({ ...options, consumer: this })
    if (complete || writer.left === 0) this.#finish = complete ?? 'length'
    else if (this.sequence.rows.ids.length === contextLength && !rolling) this.#finish = 'context'
  }

  get done(): boolean {
    return this.#finish !== null
  }

  /** None that could not join the text, or have no row. */
  get draftTokens(): number {
    const { speculation, writer, contextLength, mask } = this.#options
    if (this.#finish) return 0
    if (this.#retrace < this.#retraced.length) return this.#retraced.length - this.#retrace
    const wanted = mask?.foreseen.length || (speculation?.wanted ?? 0)
    const rows = contextLength - this.sequence.rows.ids.length
    return Math.max(Math.min(wanted, writer.left - 1, this.#room - 1, rows), 0)
  }

  async propose(count: number): Promise<readonly number[]> {
    const { speculation, mask } = this.#options
    if (this.#retrace < this.#retraced.length) {
      // Masks of many ids are more than one request holds.
      return mask ? [] : this.#retraced.slice(this.#retrace, this.#retrace + count)
    }
    const foreseen = mask?.foreseen.slice(0, count) ?? []
    this.#foresees = foreseen.length > 0
    if (this.#foresees) return foreseen
    const draft = (await speculation?.propose(this.sequence.rows.ids, count)) ?? []
    return mask ? mask.allowed(draft) : draft
  }

  get wantsStates(): boolean {
    return this.#options.speculation?.states !== undefined
  }

  readStates(start: number, count: number, states: Float32Array): void {
    this.#options.speculation?.states?.read(this.sequence.rows.ids, start, count, states)
  }

  arriving(): Promise<void> | null {
    return this.#held && !this.#finish ? (this.#options.mask?.arrived() ?? null) : null
  }

  /**
   * Draws what had to wait for its mask. Where the context is full, drops the oldest tokens but the first few. States that were
   * left by a prompt are computed with.
   */
  prepare(): Promise<void> | null {
    if (this.#held && !this.#finish) this.#drawHeld(this.#held)
    const { rolling, contextLength, speculation } = this.#options
    const { ids } = this.sequence.rows
    if (rolling && ids.length > contextLength) return this.#roll(rolling)
    return speculation?.states?.settle(ids) ?? null
  }

  /** Writes on as long as what is drawn is what was guessed: the logits after a wrong guess are of another text. */
  take(logits: readonly Float32Array[], draft: readonly number[], ms: number | null): number {
    const { speculation, mask } = this.#options
    const guesses = this.#retrace === this.#retraced.length && !this.#foresees
    this.#foresees = false
    this.#held = null
    let accepted = 0
    try {
      if (mask && !this.#finish && logits.length > 0 && !mask.ready()) {
        // Only drafts whose masks were there are in a step.
        this.#held = (logits[0] as Float32Array).slice()
        return 0
      }
      accepted = this.#draw(logits, draft)
    } catch (error) {
      this.sequence.fail(error)
    }
    if (guesses) speculation?.checked(draft.length, accepted, ms)
    return accepted
  }

  #drawHeld(logits: Float32Array): void {
    try {
      if (!this.#options.mask?.ready()) return
      this.#held = null
      this.#draw([logits], [])
    } catch (error) {
      this.sequence.fail(error)
    }
  }

  /** How many tokens of the draft are what is drawn. */
  #draw(logits: readonly Float32Array[], draft: readonly number[]): number {
    const { writer, mask } = this.#options
    let accepted = 0
    for (const row of logits) {
      if (this.#finish) break
      if (mask?.ended) {
        writer.end()
        this.#finish = 'stop'
        break
      }
      const known = this.#retraced[this.#retrace]
      const { token, ends, stopped } =
        known === undefined ? writer.next(row, this.#room) : writer.retrace(known, row, this.#room)
      if (known !== undefined && ++this.#retrace < this.#retraced.length && ends) throw beyondEnd(this.#retrace - 1)
      if (token !== null) this.sequence.rows.push(token)
      if (ends) this.#finish = ends
      this.#stopped = stopped
      if (token === null || token !== draft[accepted]) break
      accepted++
    }
    if (!this.#finish) mask?.advance()
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
    const { timeline, extent, writer, mask, ended } = this.#options
    mask?.close()
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
    const { writer, prompt, promptTokens = prompt.length, speculation } = this.#options
    const usage = {
      promptTokens,
      cachedTokens: Math.min(this.sequence.reused, prompt.length),
      draftTokens: speculation?.drafted ?? 0,
      acceptedTokens: speculation?.accepted ?? 0,
    }
    return writer.completion(this.#finish ?? 'aborted', usage, speculation?.speedUp)
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

/** An answer that was begun elsewhere has ids after its end: `index` is the id that ends it. */
export function beyondEnd(index: number): OptionError {
  return new OptionError(
    `resume.tokenIds goes on after its id ${index}, with which the answer ends (end of the text, a stop sequence or maxTokens); ` +
      'expected the options of the first call, and no id after the end',
  )
}
