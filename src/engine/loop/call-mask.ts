import type { MaskedText } from '../../grammar/thread/masked-text.ts'
import type { CallStart } from './call-start.ts'
import type { FreeReasoning } from './free-reasoning.ts'
import { type DrawMask, TextMask, type TextMaskOptions } from './text-mask.ts'

export interface CallMaskOptions extends Omit<TextMaskOptions, 'begun' | 'firstId' | 'refused'> {
  /** What calls begin with. */
  readonly start: CallStart
  /** Reasoning, in which the trigger does not count; null: the model marks none. */
  readonly reasoning: FreeReasoning | null
}

/**
 * A text that is free until it begins a call: from its trigger on, a grammar holds names and arguments. The grammar takes the
 * ids that wrote the trigger, so that it need not fall on the end of a token; where it does not allow them, or cannot be compiled, the text
 * stays free: it only looked like a call.
 */
export class CallMask implements DrawMask {
  readonly #options: CallMaskOptions
  /** Since the trigger; null: before it. */
  #inner: TextMask | null = null
  /** The first masks have come: the text is a call. */
  #held = false
  #start: CallStart
  #isReasoning = false

  constructor(options: CallMaskOptions) {
    this.#options = options
    this.#start = options.start
    options.opening.catch(() => {})
  }

  /** Throws GrammarError where a call cannot go on. */
  ready(): boolean {
    if (!this.#inner) return true
    try {
      const ready = this.#inner.ready()
      this.#held ||= ready
      return ready
    } catch (error) {
      if (this.#held) throw error
      this.#inner?.close()
      this.#inner = null
      return true
    }
  }

  arrived(): Promise<void> {
    return this.#inner?.arrived() ?? Promise.resolve()
  }

  get ended(): boolean {
    return this.#inner?.ended ?? false
  }

  get isReasoning(): boolean {
    return this.#isReasoning
  }

  get foreseen(): readonly number[] {
    return this.#inner?.foreseen ?? []
  }

  /** The draft up to what the grammar allows, or up to the end of the trigger. */
  async allowed(draft: readonly number[]): Promise<readonly number[]> {
    if (this.#inner) return this.#inner.allowed(draft)
    if (this.#options.reasoning?.isFree) return draft.slice(0, this.#options.reasoning.freePrefix(draft))
    let start = this.#start
    const end = draft.findIndex(id => {
      start = start.with(id)
      return start.begun.length > 0
    })
    return end < 0 ? draft : draft.slice(0, end + 1)
  }

  apply(logits: Float32Array): void {
    this.#inner?.apply(logits)
  }

  accept(id: number): void {
    if (this.#inner) {
      this.#inner.accept(id)
      return
    }
    this.#isReasoning = this.#options.reasoning?.accept(id) ?? false
    if (this.#isReasoning) return
    this.#start = this.#start.with(id)
    const { begun } = this.#start
    if (begun.length === 0) return
    const { opening } = this.#options
    this.#start = this.#start.again()
    const again = opening.then((text): MaskedText => text.fork())
    this.#inner = new TextMask({ ...this.#options, opening: again, begun, reasoning: null, refused: () => {} })
  }

  advance(): void {
    this.#inner?.advance()
  }

  close(): void {
    this.#inner?.close()
    void this.#options.opening.then(
      text => text.close(),
      () => {},
    )
  }
}
