import type { CallTrigger } from '../types/protocol.ts'

/** Ids with their bytes. */
type Tail = readonly { readonly id: number; readonly text: string }[]

/** What is looked for, as texts of bytes. */
interface Wanted {
  readonly triggers: readonly string[]
  readonly leads: readonly string[] | null
  readonly longest: number
  bytesOf(id: number): Uint8Array
}

/** Looks for the text with which calls begin, in the ids of an answer outside its reasoning: how far it has come. */
export class CallStart {
  readonly #wanted: Wanted
  /** The last ids that may be the beginning of a trigger. */
  readonly #tail: Tail
  /** The ids that wrote a trigger; none: it has not come. */
  readonly begun: readonly number[]

  private constructor(wanted: Wanted, tail: Tail, begun: readonly number[]) {
    this.#wanted = wanted
    this.#tail = tail
    this.begun = begun
  }

  /** `bytesOf`: the bytes of a token inside a text. */
  static of({ texts, leads }: CallTrigger, bytesOf: (id: number) => Uint8Array): CallStart {
    const asBytes = (text: string) => bytesAsText(new TextEncoder().encode(text))
    const triggers = texts.map(asBytes)
    const longest = Math.max(...triggers.map(({ length }) => length))
    return new CallStart({ triggers, leads: leads?.map(asBytes) ?? null, longest, bytesOf }, [], [])
  }

  /** With one more id. */
  with(id: number): CallStart {
    const { leads, bytesOf } = this.#wanted
    if (this.#tail === OVER) return this
    const longer = [...this.#tail, { id, text: bytesAsText(bytesOf(id)) }]
    return leads === null ? this.#anywhere(longer) : this.#first(longer, leads)
  }

  /** After a text that only looked like the beginning of a call. */
  again(): CallStart {
    return new CallStart(this.#wanted, this.#wanted.leads === null ? [] : OVER, [])
  }

  #anywhere(ids: Tail): CallStart {
    const { triggers, longest } = this.#wanted
    // A trigger may end anywhere in the last id.
    const tail = endOf(ids, longest - 1 + (ids.at(-1)?.text.length ?? 0))
    const begins = (some: Tail) => triggers.some(trigger => joined(some).includes(trigger))
    if (!begins(tail)) return new CallStart(this.#wanted, tail, [])
    let from = 0
    while (begins(tail.slice(from + 1))) from++
    return new CallStart(
      this.#wanted,
      tail,
      tail.slice(from).map(token => token.id),
    )
  }

  /** Whether the answer begins so, or may go on to. */
  #first(ids: Tail, leads: readonly string[]): CallStart {
    const text = joined(ids).trimStart()
    const lead = leads.find(one => text.startsWith(one)) ?? ''
    const rest = text.slice(lead.length).trimStart()
    const { triggers } = this.#wanted
    if (triggers.some(trigger => rest.startsWith(trigger))) {
      return new CallStart(
        this.#wanted,
        ids,
        endOf(ids, rest.length).map(token => token.id),
      )
    }
    const mayBegin = triggers.some(trigger => trigger.startsWith(rest)) || leads.some(one => one.startsWith(text))
    return new CallStart(this.#wanted, mayBegin ? ids : OVER, [])
  }
}

/** Of a text that did not begin with a call. */
const OVER: Tail = []

/** The last ids that have so many bytes, and no id more. */
function endOf(ids: Tail, length: number): Tail {
  let left = ids.reduce((sum, { text }) => sum + text.length, 0)
  let from = 0
  while (from < ids.length - 1 && left - (ids[from]?.text.length ?? 0) >= length) left -= ids[from++]?.text.length ?? 0
  return from === 0 ? ids : ids.slice(from)
}

const joined = (ids: Tail) => ids.map(({ text }) => text).join('')

/** A text of as many characters. */
function bytesAsText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
