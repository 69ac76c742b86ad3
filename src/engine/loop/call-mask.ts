import type { MaskedText } from '../../grammar/thread/client.ts'
import type { FreeReasoning } from './free-reasoning.ts'
import { type DrawMask, TextMask, type TextMaskOptions } from './text-mask.ts'

export interface CallMaskOptions extends Omit<TextMaskOptions, 'begun' | 'refused'> {
  /** The text with which calls begin. */
  readonly trigger: string
  /** Reasoning, in which the trigger does not count; null: the model marks none. */
  readonly reasoning: FreeReasoning | null
  /** The bytes of a token inside a text. */
  bytesOf(id: number): Uint8Array
}

/** Ids with their bytes. */
type Tail = readonly { readonly id: number; readonly text: string }[]

/**
 * A text that is free until it begins a call: from its trigger on, a grammar holds names and arguments. The grammar takes the
 * ids that wrote the trigger, so that it need not fall on the end of a token; where it does not allow them, or cannot be compiled, the text
 * stays free: it only looked like a call.
 */
export class CallMask implements DrawMask {
  readonly #options: CallMaskOptions
  readonly #trigger: string
  /** Since the trigger; null: before it. */
  #inner: TextMask | null = null
  /** The first masks have come: the text is a call. */
  #held = false
  /** The last ids that may be the beginning of the trigger, with their bytes. */
  #tail: Tail = []
  #isReasoning = false

  constructor(options: CallMaskOptions) {
    this.#options = options
    this.#trigger = bytesAsText(new TextEncoder().encode(options.trigger))
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

  /** The draft up to what the grammar allows, or up to the end of the trigger. */
  async allowed(draft: readonly number[]): Promise<readonly number[]> {
    if (this.#inner) return this.#inner.allowed(draft)
    if (this.#options.reasoning?.isFree) return draft.slice(0, this.#options.reasoning.freePrefix(draft))
    let tail = this.#tail
    const end = draft.findIndex(id => {
      tail = this.#with(tail, id)
      return this.#begins(tail)
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
    this.#tail = this.#with(this.#tail, id)
    if (!this.#begins(this.#tail)) return
    const begun = this.#tail.map(token => token.id)
    this.#tail = []
    const { opening } = this.#options
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

  #with(tail: Tail, id: number): Tail {
    const longer = [...tail, { id, text: bytesAsText(this.#options.bytesOf(id)) }]
    // Ids that cannot be part of the trigger any more.
    let length = longer.reduce((sum, { text }) => sum + text.length, 0)
    while (longer.length > 1 && length - longer[0]!.text.length >= this.#trigger.length) {
      length -= longer.shift()!.text.length
    }
    return longer
  }

  #begins(tail: Tail): boolean {
    return tail
      .map(({ text }) => text)
      .join('')
      .includes(this.#trigger)
  }
}

/** A text of as many characters. */
function bytesAsText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
