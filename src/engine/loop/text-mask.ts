import { GrammarError } from '../../grammar/errors.ts'
import type { MaskedText, Masks } from '../../grammar/thread/masked-text.ts'
import type { WorkTime } from '../../grammar/thread/work-time.ts'
import type { TokenRule } from '../../sampling/sampler.ts'
import type { FreeReasoning } from './free-reasoning.ts'
import type { Patience } from './patience.ts'

/** Which ids may be drawn next, as the loop sees it. */
export interface DrawMask extends TokenRule {
  /** Whether the next id can be drawn. Throws GrammarError where the text cannot go on. */
  ready(): boolean
  /** Resolves when `ready` may say otherwise. */
  arrived(): Promise<void>
  /** Nothing but the end can follow. */
  readonly ended: boolean
  /** Whether the last id is part of the reasoning, or one of its marks. */
  readonly isReasoning: boolean
  /** Ids that are likely to come next, whose masks are there: drafts that need no request. */
  readonly foreseen: readonly number[]
  /** The draft up to what is allowed. */
  allowed(draft: readonly number[]): Promise<readonly number[]>
  /** The draws of a step are over: requests the masks of the next one. */
  advance(): void
  close(): void
}

export interface TextMaskOptions {
  /** The text in the thread of the masks, when its grammar is compiled. */
  readonly opening: Promise<MaskedText>
  /** Ids with which the grammar begins, that were drawn before. Default: none. */
  readonly begun?: readonly number[]
  /** The id that the text has to begin with, before the grammar; another rule demands it. Default: there is none. */
  readonly firstId?: number | undefined
  /** What may come before the grammar begins; null: nothing. */
  readonly reasoning: FreeReasoning | null
  /** Ids that end a text. */
  readonly ends: ReadonlySet<number>
  readonly patience: Patience
  /** Tokens that the text has left, the next one counted. */
  left(): number
  /** The grammar cannot be compiled. */
  refused(error: unknown): void
  /** The text's masks take too long: whoever computes them is stuck. */
  stuck(): void
}

/** Most masks of ids that have to come which are computed with one that is wanted. */
const AHEAD = 12
/** Milliseconds of work after which a mask counts as never coming, and of the clock where its thread does not even work. */
const STUCK = 10_000
const LOST = 120_000

/**
 * The ids that one text may draw next. Masks are requested as soon as an id is drawn and computed beside the model's step.
 * The loop never waits long for one (`Patience`): a text whose mask is late keeps its logits and sits the next steps out.
 */
export class TextMask implements DrawMask {
  readonly #options: TextMaskOptions
  #text: MaskedText | null = null
  #failure: { readonly error: unknown } | null = null
  /** Those of the next draws, when they are there. */
  #masks: Masks | null = null
  #row = 0
  /** Drawn since the last request. */
  #drawn: number[] = []
  /** Of the mask that is late; no work: its turn has not come. */
  #late: { readonly work: WorkTime | null; readonly since: number } | null = null
  #arriving: Promise<void> | null = null
  #closed = false
  #isReasoning = false
  /** The next id is the one that the text has to begin with; undefined: it has come, or there is none. */
  #firstId: number | undefined

  constructor(options: TextMaskOptions) {
    this.#options = options
    this.#firstId = options.firstId
    this.#drawn = [...(options.begun ?? [])]
    options.opening.then(
      text => {
        if (this.#closed) return text.close()
        this.#text = text
        this.#request(text, [])
      },
      error => {
        this.#failure = { error }
        options.refused(error)
      },
    )
  }

  /** Whether the next id can be drawn. Throws GrammarError where the text cannot go on. */
  ready(): boolean {
    if (this.#failure) throw this.#failure.error
    if (this.#firstId !== undefined || this.#options.reasoning?.isFree || this.#masks) return true
    const text = this.#text
    this.#masks = text && (text.poll() ?? this.#options.patience.wait(text))
    if (this.#masks) {
      this.#late = null
      return true
    }
    // Compilation has a limit of its own, another grammar's too.
    if (text?.waitsForCompilation) this.#late = null
    else if (text) this.#checkLate(text)
    return false
  }

  /** Resolves when `ready` may say otherwise. */
  arrived(): Promise<void> {
    this.#arriving ??= this.#options.opening
      .then(text => text.next())
      .catch(() => {})
      .then(() => {
        this.#arriving = null
      })
    return this.#arriving
  }

  /** Nothing but the end can follow. */
  get ended(): boolean {
    if (this.#firstId !== undefined || this.#options.reasoning?.isFree) return false
    return this.#masks?.stopped(this.#row) ?? false
  }

  get foreseen(): readonly number[] {
    const masks = this.#masks
    if (!masks || this.#row === 0) return []
    return Array.from({ length: Math.max(masks.count - 1 - this.#row, 0) }, (_, i) => masks.draft(this.#row + i))
  }

  /** The draft up to what the grammar allows; nothing of it where its masks take long. */
  async allowed(draft: readonly number[]): Promise<readonly number[]> {
    const { reasoning, patience } = this.#options
    if (draft.length === 0) return draft
    if (this.#firstId !== undefined) return []
    if (reasoning && !reasoning.isOver) return draft.slice(0, reasoning.freePrefix(draft))
    if (!this.#text) return []
    this.#request(this.#text, draft)
    this.#masks = await patience.soon(this.#text)
    return this.#masks ? draft.slice(0, this.#masks.count - 1) : []
  }

  apply(logits: Float32Array): void {
    if (this.#firstId !== undefined) return
    const { reasoning, ends } = this.#options
    if (reasoning?.isFree) {
      // A text that ended here would have no value.
      for (const id of ends) if (id < logits.length) logits[id] = Number.NEGATIVE_INFINITY
      return
    }
    const opening = reasoning?.opening
    const kept = opening === undefined ? 0 : logits[opening]!
    forbid((this.#masks as Masks).rows[this.#row] as Uint32Array, logits)
    if (opening !== undefined) logits[opening] = kept
  }

  /** Whether the last id is part of the reasoning, or one of its marks. */
  get isReasoning(): boolean {
    return this.#isReasoning
  }

  accept(id: number): void {
    const isFirst = id === this.#firstId
    this.#firstId = undefined
    if (isFirst) return
    this.#isReasoning = this.#options.reasoning?.accept(id) ?? false
    if (this.#isReasoning) return
    this.#drawn.push(id)
    this.#row++
  }

  /** The draws of a step are over: requests the masks of the next one. */
  advance(): void {
    if (this.#drawn.length > 0 && this.#text && !this.#hasNext()) this.#request(this.#text, [])
  }

  /** Whether what was drawn is what was foreseen, so that the next mask is there. */
  #hasNext(): boolean {
    const masks = this.#masks
    return masks !== null && this.#row < masks.count && this.#drawn.every((id, row) => id === masks.draft(row))
  }

  /** Asks for the masks after all that was drawn. */
  #request(text: MaskedText, drafts: readonly number[]): void {
    const left = this.#options.left() - (this.#firstId === undefined ? 0 : 1)
    const guesses = drafts.length > 0 ? { drafts } : { ahead: AHEAD }
    text.request({ ids: this.#drawn, ...guesses, ...(Number.isFinite(left) && { left }) })
    this.#drawn = []
    this.#masks = null
    this.#row = 0
  }

  close(): void {
    this.#closed = true
    this.#text?.close()
  }

  /** What else the machine does is no fault of the grammar, nor what its thread does for other texts first. */
  #checkLate(text: MaskedText): void {
    const now = performance.now()
    const { since, work: begun } = this.#late ?? { since: now, work: null }
    const work = text.waitsForOthers ? null : (begun ?? text.work())
    this.#late = { since, work }
    if ((work?.look() ?? 0) < STUCK && now - since < LOST) return
    this.close()
    this.#options.stuck()
    const error = new GrammarError(`The grammar's next mask takes longer than ${STUCK / 1000} s; use a smaller grammar`)
    this.#failure = { error }
    throw error
  }
}

/** Sets the logits of ids whose bit is 0 to -Infinity. */
export function forbid(mask: Uint32Array, logits: Float32Array): void {
  for (let word = 0; word < mask.length; word++) {
    const start = 32 * word
    let left = ~mask[word]!
    if (left === -1) {
      while (mask[word + 1] === 0) word++
      logits.fill(Number.NEGATIVE_INFINITY, start, 32 * (word + 1))
      continue
    }
    for (; left !== 0; left &= left - 1) {
      const id = start + 31 - Math.clz32(left & -left)
      if (id < logits.length) logits[id] = Number.NEGATIVE_INFINITY
    }
  }
}
