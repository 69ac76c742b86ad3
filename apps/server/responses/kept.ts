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
  /** The items of its output by their ids, as JSON each: of an item that is referred to, nothing else is read. */
  readonly items: ReadonlyMap<string, string>
  readonly chars: number
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
    const items = new Map<string, string>()
    for (const item of outputOf(kept)) if (typeof item.id === 'string') items.set(item.id, JSON.stringify(item))
    const chars = [...items.values()].reduce((sum, item) => sum + item.length, text.length)
    if (chars > MAX_CHARS) return
    for (const item of items.keys()) this.#responseOf.set(item, id)
    this.#entries.set(id, { owner, text, items, chars })
    this.#chars += chars
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= MAX_RESPONSES && this.#chars <= MAX_CHARS) break
      this.#remove(oldest, entry)
    }
  }

  /** Throws Failure (404). `param`: the field that names it. */
  find(id: string, owner: string, param: string): Kept {
    const entry = this.#entryOf(id, owner, param)
    this.#use(id, entry)
    return JSON.parse(entry.text) as Kept
  }

  /** Undefined where there is none, or none any more. */
  item(id: string, owner: string): KeptItem | undefined {
    const response = this.#responseOf.get(id)
    const entry = response === undefined ? undefined : this.#entries.get(response)
    const item = entry?.owner === owner ? entry.items.get(id) : undefined
    if (response === undefined || !entry || item === undefined) return undefined
    this.#use(response, entry)
    return JSON.parse(item) as KeptItem
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

  #use(id: string, entry: Entry): void {
    this.#entries.delete(id)
    this.#entries.set(id, entry)
  }

  #remove(id: string, entry: Entry): void {
    this.#entries.delete(id)
    for (const item of entry.items.keys()) this.#responseOf.delete(item)
    this.#chars -= entry.chars
  }
}

const outputOf = ({ response }: Kept) => (response.output ?? []) as readonly KeptItem[]
