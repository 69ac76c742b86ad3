/** Responses that a later one may follow, until others take their place or the server stops. */
import type { ConversationMessage } from '../../../src/index.ts'
import { Failure } from '../failure.ts'

/** A response with the conversation that it ends. */
export interface Kept {
  readonly response: Readonly<Record<string, unknown>>
  /** With the answer, and without instructions. */
  readonly said: readonly ConversationMessage[]
}

/** An item of a response's output, as it was sent. */
export type KeptItem = Readonly<Record<string, unknown>> & { readonly type: string }

interface Entry {
  /** Who asked: nobody else finds it. */
  readonly owner: string
  /** As JSON, which takes much less than its objects, and whose length says how much. */
  readonly text: string
  /** Of the items of its output. */
  readonly items: readonly string[]
}

const MAX_RESPONSES = 1000
/** Characters of all of them; messages of one conversation count in each of its responses. */
const MAX_CHARS = 64 * 2 ** 20

/** The longest unused go first. */
export class KeptResponses {
  readonly #entries = new Map<string, Entry>()
  /** Of each item, its response. */
  readonly #responseOf = new Map<string, string>()
  #chars = 0

  /** One that is too long for all places together is not kept. */
  keep(id: string, owner: string, kept: Kept): void {
    const text = JSON.stringify(kept)
    if (text.length > MAX_CHARS) return
    const items = outputOf(kept).flatMap(item => (typeof item.id === 'string' ? [item.id] : []))
    for (const item of items) this.#responseOf.set(item, id)
    this.#entries.set(id, { owner, text, items })
    this.#chars += text.length
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= MAX_RESPONSES && this.#chars <= MAX_CHARS) break
      this.#remove(oldest, entry)
    }
  }

  /** Throws Failure (404). `param`: the field that names it. */
  find(id: string, owner: string, param: string): Kept {
    const entry = this.#entryOf(id, owner, param)
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    return JSON.parse(entry.text) as Kept
  }

  /** Undefined where there is none, or none any more. */
  item(id: string, owner: string): KeptItem | undefined {
    const entry = this.#entries.get(this.#responseOf.get(id) ?? '')
    if (entry?.owner !== owner) return undefined
    return outputOf(JSON.parse(entry.text) as Kept).find(item => item.id === id)
  }

  /** Throws Failure (404). */
  forget(id: string, owner: string): void {
    this.#remove(id, this.#entryOf(id, owner, 'id'))
  }

  #entryOf(id: string, owner: string, param: string): Entry {
    const entry = this.#entries.get(id)
    if (!entry || entry.owner !== owner) {
      throw new Failure(
        'missing',
        `There is no response ${JSON.stringify(id)} (any more): send the whole conversation in input.`,
        { code: 'previous_response_not_found', param },
      )
    }
    return entry
  }

  #remove(id: string, entry: Entry): void {
    this.#entries.delete(id)
    for (const item of entry.items) this.#responseOf.delete(item)
    this.#chars -= entry.text.length
  }
}

const outputOf = ({ response }: Kept) => (response.output ?? []) as readonly KeptItem[]
