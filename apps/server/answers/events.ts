/** What an answer is made of, as it comes. `choice`: which of `n` texts, from 0. */

/** Why a text ended. `calls`: with calls of tools. `context`: no room for another token. */
export type EndReason = 'stop' | 'length' | 'context' | 'calls'

export interface TokenCounts {
  /** Of the prompt. */
  readonly prompt: number
  /** Those of them that were cached. */
  readonly cached: number
  /** That were written, in all texts. */
  readonly completion: number
  /** Those of them that are reasoning. */
  readonly reasoning: number
  /** Guesses of tokens to come that the model checked, and those that held. */
  readonly drafted: number
  readonly accepted: number
}

/** Milliseconds. */
export interface AnswerTimings {
  /** Reading the prompt. */
  readonly promptMs: number
  /** From the first token to the last. */
  readonly generationMs: number
  /** From the request to the first token. */
  readonly firstTokenMs: number
  /** How many times as fast as without guesses; absent where there were none, or nothing to compare with. */
  readonly draftSpeedUp?: number
}

/** A token that was drawn, with the likeliest in its place. Natural logarithms. */
export interface DrawnToken extends TokenChance {
  readonly top: readonly TokenChance[]
}

export interface TokenChance {
  readonly id: number
  readonly logprob: number
  /** Its text; a part of a character is shown as U+FFFD. */
  readonly text: string
  readonly bytes: Uint8Array
}

export type AnswerEvent =
  /** The engine has taken the prompt, which fits. Once, before all others; a form may still be refused. */
  | { readonly type: 'begun' }
  /** So much of the prompt is read; first, before it is, what the cache has of it. */
  | { readonly type: 'progress'; readonly tokens: number; readonly total: number }
  | { readonly type: 'reasoning' | 'text'; readonly choice: number; readonly text: string }
  | {
      readonly type: 'call-begun'
      readonly choice: number
      readonly call: number
      readonly id: string
      readonly name: string
    }
  /** Joined, the texts of a call are JSON. */
  | { readonly type: 'call-arguments'; readonly choice: number; readonly call: number; readonly text: string }
  | { readonly type: 'call-ended'; readonly choice: number; readonly call: number; readonly complete: boolean }
  /** Tokens that were drawn, in order; they come right before the text that they become. */
  | { readonly type: 'logprobs'; readonly choice: number; readonly tokens: readonly DrawnToken[] }
  | {
      readonly type: 'finished'
      readonly choice: number
      readonly reason: EndReason
      /** The one that ended it, where one did and the engine says so. */
      readonly stopSequence: string | null
      readonly seed: number
    }
  /** Once, after all texts have finished. */
  | { readonly type: 'usage'; readonly usage: TokenCounts; readonly timings: AnswerTimings }
