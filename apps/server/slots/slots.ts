/**
 * Slots, as llama-server has them: numbered places, each of which remembers the last text that was written at it. What is cached is found
 * by every prompt, whatever its slot; a slot is where clients take the state of a conversation from, to save it under a name.
 */
import type { Session } from '../../../src/index.ts'
import { invalid } from '../failure.ts'

/** Whose a text is: sessions of the same salt on the same model find its rows. */
export interface SlotOwner {
  readonly model: string
  readonly cacheSalt: string
}

/** What a slot remembers. */
export interface SlotState extends SlotOwner {
  /** Ids of the text, prompt and answer. */
  readonly tokens: readonly number[]
  /** The request as a text, by which the next turn of a conversation is told. */
  readonly request: string
}

interface Slot {
  readonly id: number
  /** Answers that are written at it now. */
  running: number
  state: SlotState | null
  /** Holds the rows of a state that was restored until another text is written here; null: the cache may evict them. */
  held: Session | null
  lastUsed: number
}

/** A place that an answer has. */
export interface Place {
  readonly id: number
  /** The answer has ended; again: does nothing. `tokens`: its text, for the slot to remember; null: nothing was read. */
  leave(tokens: readonly number[] | null): void
}

/** What is told of a slot. */
export type SlotView = Pick<Slot, 'id' | 'state'> & { readonly isProcessing: boolean }

/** Share of a remembered request with which another must begin to be its next turn. */
const LEAST_COMMON = 0.5

export class Slots {
  readonly #slots: readonly Slot[]
  #clock = 0

  constructor(count: number) {
    this.#slots = Array.from({ length: count }, (_, id) => {
      return { id, running: 0, state: null, held: null, lastUsed: 0 }
    })
  }

  /** Throws Failure for what is no slot's number. */
  check(id: number | string): asserts id is number {
    this.#slot(id)
  }

  /**
   * A place for an answer: the slot `asked`, else the one with the turn before, an empty one, or the one that was not used for longest.
   * Where all are busy, answers share one; the last to end is remembered.
   */
  take(asked: number | null, owner: SlotOwner, request: string): Place {
    const slot = asked === null ? this.#choose(owner, request) : this.#slot(asked)
    slot.running++
    slot.lastUsed = ++this.#clock
    let left = false
    return {
      id: slot.id,
      leave: tokens => {
        if (left) return
        left = true
        slot.running--
        slot.lastUsed = ++this.#clock
        if (tokens !== null && tokens.length > 0) this.#put(slot, { ...owner, tokens, request }, null)
      },
    }
  }

  view(): readonly SlotView[] {
    return this.#slots.map(({ id, state, running }) => ({ id, state, isProcessing: running > 0 }))
  }

  /** What the slot remembers; null: nothing. Throws Failure for a number that no slot has. */
  state(id: number): SlotState | null {
    return this.#slot(id).state
  }

  /** The slot remembers a state that comes from a file; `held` is disposed of when it does no longer. */
  restore(id: number, state: SlotState, held: Session): void {
    const slot = this.#slot(id)
    slot.lastUsed = ++this.#clock
    this.#put(slot, state, held)
  }

  /** Returns the number of tokens that are forgotten. */
  erase(id: number): number {
    const slot = this.#slot(id)
    const count = slot.state?.tokens.length ?? 0
    this.#put(slot, null, null)
    return count
  }

  #put(slot: Slot, state: SlotState | null, held: Session | null): void {
    // With its engine gone, so is the session.
    void slot.held?.dispose().catch(() => {})
    slot.held = held
    slot.state = state
  }

  #slot(id: number | string): Slot {
    const slot = typeof id === 'number' ? this.#slots[id] : undefined
    if (slot) return slot
    throw invalid(`The slot ${JSON.stringify(id)} is not here; expected 0 to ${this.#slots.length - 1}`, 'id_slot')
  }

  #choose(owner: SlotOwner, request: string): Slot {
    const idle = this.#slots.filter(({ running }) => running === 0)
    const turns = idle
      .map(slot => ({ slot, share: slot.state && isSameOwner(slot.state, owner) ? share(slot.state, request) : 0 }))
      .filter(turn => turn.share >= LEAST_COMMON)
      .sort((a, b) => b.share - a.share)
    const oldest = (slots: readonly Slot[]) => [...slots].sort((a, b) => a.lastUsed - b.lastUsed)[0]
    const empty = idle.find(({ state }) => state === null)
    return turns[0]?.slot ?? empty ?? oldest(idle) ?? (oldest(this.#slots) as Slot)
  }
}

function isSameOwner(a: SlotOwner, b: SlotOwner): boolean {
  return a.model === b.model && a.cacheSalt === b.cacheSalt
}

/** How much of what is remembered the request begins with, 0 to 1. */
function share({ request: known }: SlotState, request: string): number {
  if (known === '') return 0
  let length = 0
  while (length < known.length && known[length] === request[length]) length++
  return length / known.length
}
