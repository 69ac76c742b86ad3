import { type Logprobs, logprobs } from '../../sampling/logprobs.ts'
import type { TokenHistory } from '../../sampling/penalties.ts'
import type { Sampler, TokenRule } from '../../sampling/sampler.ts'
import type { Chunk, Completion, FinishReason, Timings, Usage } from '../types/results.ts'
import type { TextStream } from './text-stream.ts'

export interface TokenWriterOptions {
  /** Tokens that end the text. */
  readonly eos: ReadonlySet<number>
  /** Of them, the model's own: what ends with another one was stopped. Default: all. */
  readonly own?: ReadonlySet<number>
  readonly maxTokens: number
  readonly sampler: Pick<Sampler, 'seed' | 'sample' | 'follow'>
  /** What the text allows, in the order in which it applies. */
  readonly rules: readonly TokenRule[]
  /** What penalties look at: the text's tokens become its answer. */
  readonly history: TokenHistory
  /** How many of the likeliest tokens are reported with each; undefined: nothing is. */
  readonly logprobs?: number | undefined
  readonly text: Pick<TextStream, 'push' | 'end' | 'flush' | 'release' | 'tokensOf' | 'stopSequence'>
  readonly now: () => number
  /** When the prompt was asked for, in the clock of `now`. */
  readonly asked: number
  /** A token that was shown elsewhere adds this text. Default: nobody needs it. */
  retraced?(text: string): void
  emit(chunk: Chunk): void
}

/** What a row of logits has become. */
export interface Written {
  /** Null: an end-of-text token, which does not join the text. */
  readonly token: number | null
  /** Why the text ends with it. */
  readonly ends: FinishReason | null
  /** It ends with a stop sequence, which is to be taken back: see `cutAt`. */
  readonly stopped: boolean
}

/** The text that a prompt gets: tokens drawn from logits and shown as soon as they are certain, until it ends. */
export class TokenWriter {
  readonly #options: TokenWriterOptions
  readonly #began: number
  readonly #tokenIds: number[]
  readonly #logprobs: Logprobs[] = []
  #text = ''
  #added = ''
  #first: number | null = null
  #resumed = 0
  #stoppedBy: number | null = null
  #last: number

  constructor(options: TokenWriterOptions) {
    this.#options = options
    this.#tokenIds = options.history.answer
    this.#began = options.now()
    this.#last = this.#began
  }

  /** Tokens until maxTokens. */
  get left(): number {
    return this.#options.maxTokens - this.#tokenIds.length
  }

  /** Of the whole text, whatever has become of them since. */
  get tokenIds(): readonly number[] {
    return this.#tokenIds
  }

  /** A token has been drawn, if only the one that ends the text. */
  get hasBegun(): boolean {
    return this.#first !== null
  }

  /** Draws the next token from its logits [vocab]. `room` is how many tokens the context has left. */
  next(logits: Float32Array, room: number): Written {
    const { sampler, history, rules, logprobs: top } = this.#options
    const token = sampler.sample(logits, history, rules)
    for (const rule of rules) rule.accept(token)
    const likely = top === undefined ? null : logprobs(logits, token, top)
    if (likely) this.#logprobs.push(likely)
    this.#last = this.#options.now()
    this.#first ??= this.#last
    const written = this.#write(token, room)
    if (written.token !== null) this.#emit(this.#added, token, likely)
    else this.#show(this.#added, token)
    return written
  }

  /** Takes a token that was drawn and shown elsewhere. `logits`: of its place; null where the sampler does not learn from them. */
  retrace(token: number, logits: Float32Array | null, room: number): Written {
    const { sampler, history, rules } = this.#options
    sampler.follow(token, logits, history, rules)
    for (const rule of rules) rule.accept(token)
    const written = this.#write(token, room)
    this.#text += this.#added
    this.#options.retraced?.(this.#added)
    this.#resumed = this.#tokenIds.length
    return written
  }

  /** The text that the token adds is in `#added`. */
  #write(token: number, room: number): Written {
    const { eos, own = eos, maxTokens, text } = this.#options
    if (eos.has(token)) {
      const { text: certain, stopped } = text.end(token)
      if (!own.has(token)) this.#stoppedBy = token
      this.#added = certain
      return { token: null, ends: 'stop', stopped }
    }
    this.#tokenIds.push(token)
    const { text: certain, stopped } = text.push(token)
    const limit = this.#tokenIds.length === maxTokens ? 'length' : room === 1 ? 'context' : null
    const ends = stopped ? 'stop' : limit
    this.#added = ends && !stopped ? certain + text.flush() : certain
    return { token, ends, stopped }
  }

  /** The text ends without a draw: nothing can follow. */
  end(): void {
    this.#last = this.#options.now()
    this.#first ??= this.#last
    const last = this.#tokenIds.at(-1)
    if (last !== undefined) this.#show(this.#options.text.flush(), last)
  }

  /** A stopped text's ids: the first `keep`, then `tail` for what a token that is cut in two leaves. */
  cutAt(): ReturnType<TextStream['tokensOf']> {
    return this.#options.text.tokensOf(this.#text, this.#tokenIds)
  }

  /** Takes the stop sequence back. */
  cut({ keep, tail }: ReturnType<TextStream['tokensOf']>): void {
    this.#options.history.cut(keep, tail)
  }

  /** A text that is given up joins the timeline as it is, so all of it is shown; but for an unfinished character. */
  showHeld(): void {
    const last = this.#tokenIds.at(-1)
    if (last !== undefined) this.#show(this.#options.text.release(), last)
  }

  completion(
    finishReason: FinishReason,
    reading: Omit<Usage, 'completionTokens' | 'resumedTokens'>,
    draftSpeedUp: number | null = null,
  ): Completion {
    const { sampler, text } = this.#options
    return {
      text: this.#text,
      tokenIds: this.#tokenIds,
      finishReason,
      ...(text.stopSequence !== undefined && { stopSequence: text.stopSequence }),
      ...(this.#stoppedBy !== null && { stopTokenId: this.#stoppedBy }),
      usage: {
        ...reading,
        completionTokens: this.#tokenIds.length,
        ...(this.#resumed > 0 && { resumedTokens: Math.min(this.#resumed, this.#tokenIds.length) }),
      },
      timings: {
        ...this.#timings(reading.promptTokens - reading.cachedTokens),
        ...(draftSpeedUp !== null && { draftSpeedUp }),
      },
      seed: Number(sampler.seed),
      ...(this.#options.logprobs !== undefined && { logprobs: this.#logprobs }),
    }
  }

  #timings(promptTokens: number): Timings {
    const { asked, now } = this.#options
    const first = this.#first ?? now()
    const promptMs = first - this.#began
    const generationMs = Math.max(this.#last - first, 0)
    const perSecond = (count: number, ms: number) => (ms > 0 ? (count * 1000) / ms : 0)
    return {
      firstTokenMs: first - asked,
      promptMs,
      generationMs,
      promptTokensPerSecond: perSecond(promptTokens, promptMs),
      tokensPerSecond: perSecond(Math.max(this.#tokenIds.length - this.#resumed - 1, 0), generationMs),
    }
  }

  #show(text: string, tokenId: number): void {
    if (text !== '') this.#emit(text, tokenId)
  }

  #emit(text: string, tokenId: number, likely: Logprobs | null = null): void {
    this.#text += text
    this.#options.emit({ text, tokenId, ...(likely && { logprobs: likely }) })
  }
}
