/** Rules about the length of a text and of its reasoning. */
import type { TokenRule } from './sampler.ts'

/** The text does not end before it has `least` tokens, unless nothing but its end is allowed. */
export class LeastTokens implements TokenRule {
  #left: number
  readonly #ends: ReadonlySet<number>

  constructor(least: number, ends: ReadonlySet<number>) {
    this.#left = least
    this.#ends = ends
  }

  apply(logits: Float32Array): void {
    if (this.#left <= 0) return
    const isOther = (logit: number, id: number) => logit > Number.NEGATIVE_INFINITY && !this.#ends.has(id)
    if (!logits.some(isOther)) return
    for (const id of this.#ends) if (id < logits.length) logits[id] = Number.NEGATIVE_INFINITY
  }

  accept(): void {
    this.#left--
  }
}

/** The marks around a model's reasoning, as tokens. */
export interface ReasoningMarks {
  readonly open: readonly number[]
  readonly close: readonly number[]
}

/**
 * Reasoning ends after `budget` tokens: then the tokens of the end mark come next, whatever the model says. It is counted from the last
 * opening mark on, in the prompt or in the text.
 */
export class ReasoningBudget implements TokenRule {
  readonly #budget: number
  readonly #marks: ReasoningMarks
  readonly #last: number[] = []
  /** Tokens of reasoning; null: outside of it. */
  #count: number | null = null

  constructor(budget: number, marks: ReasoningMarks, before: Iterable<number>) {
    this.#budget = budget
    this.#marks = marks
    for (const id of before) this.accept(id)
  }

  apply(logits: Float32Array): void {
    if (this.#count === null || this.#count < this.#budget) return
    const { close } = this.#marks
    const begun = close.findLastIndex((_, i) => this.#endsWith(close.slice(0, i)))
    const next = close[begun]!
    const logit = logits[next]!
    logits.fill(Number.NEGATIVE_INFINITY)
    logits[next] = Number.isFinite(logit) ? logit : 0
  }

  accept(id: number): void {
    const { open, close } = this.#marks
    this.#last.push(id)
    if (this.#last.length > Math.max(open.length, close.length)) this.#last.shift()
    if (this.#endsWith(open)) {
      this.#count = 0
    } else if (this.#endsWith(close)) this.#count = null
    else if (this.#count !== null) this.#count++
  }

  #endsWith(mark: readonly number[]): boolean {
    const from = this.#last.length - mark.length
    return from >= 0 && mark.every((id, i) => this.#last[from + i] === id)
  }
}
