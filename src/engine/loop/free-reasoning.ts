import type { ReasoningMarks } from '../../sampling/text-rules.ts'

/** Tokens of white space that a template writes after reasoning, at most. */
const BLANKS = 2

/**
 * Reasoning before a text that a grammar holds. It is free, and the grammar begins after its end mark. It has been opened by
 * the prompt, or the text's first token may open it.
 */
export class FreeReasoning {
  readonly #marks: ReasoningMarks
  readonly #last: number[] = []
  #state: 'before' | 'inside' | 'over'

  /** After `prompt`, whose last mark counts. `mayOpen`: whether the text may begin with the opening mark. */
  constructor(marks: ReasoningMarks, prompt: readonly number[], mayOpen: boolean) {
    this.#marks = marks
    const opened = lastIndexOf(prompt, marks.open)
    const closed = lastIndexOf(prompt, marks.close)
    if (opened > closed) {
      this.#state = 'inside'
      this.#last.push(...prompt.slice(-marks.close.length))
      return
    }
    // A template that wants no reasoning writes an empty one.
    const isEmpty = closed >= 0 && closed + marks.close.length >= prompt.length - BLANKS
    this.#state = mayOpen && !isEmpty && marks.open.length === 1 ? 'before' : 'over'
  }

  /** The text is reasoning now. */
  get isFree(): boolean {
    return this.#state === 'inside'
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** The id with which reasoning may begin now. */
  get opening(): number | undefined {
    return this.#state === 'before' ? this.#marks.open[0] : undefined
  }

  /** Takes the next id; whether it belongs to the reasoning or its marks. */
  accept(id: number): boolean {
    const { open, close } = this.#marks
    if (this.#state === 'over') return false
    if (this.#state === 'before') {
      this.#state = id === open[0] ? 'inside' : 'over'
      return this.#state === 'inside'
    }
    this.#last.push(id)
    if (this.#last.length > close.length) this.#last.shift()
    if (lastIndexOf(this.#last, close) >= 0) this.#state = 'over'
    return true
  }

  /** How many of the ids are drawn before the reasoning ends. */
  freePrefix(ids: readonly number[]): number {
    if (this.#state !== 'inside') return 0
    const { close } = this.#marks
    const known = Math.min(this.#last.length, close.length - 1)
    const all = [...this.#last.slice(this.#last.length - known), ...ids]
    const end = all.findIndex((_, i) => close.every((id, k) => all[i - close.length + 1 + k] === id))
    return end < 0 ? ids.length : Math.max(end - known, 0)
  }
}

function lastIndexOf(ids: readonly number[], mark: readonly number[]): number {
  for (let at = ids.length - mark.length; at >= 0; at--) if (mark.every((id, i) => ids[at + i] === id)) return at
  return -1
}
