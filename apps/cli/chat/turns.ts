import type { Message } from '../../../src/index.ts'
import { type Room, roomyLength } from './room.ts'

/** The messages of a chat with a template: the system's, and turns, of which the model sees no more than fit. */
export class Turns {
  #system: Message[] = []
  #turns: Message[] = []
  /** Index of the first turn that the model still sees. */
  #first = 0

  constructor(messages: readonly Message[]) {
    this.restore(messages)
  }

  get all(): readonly Message[] {
    return [...this.#system, ...this.#turns]
  }

  get seen(): readonly Message[] {
    return this.#from(this.#first)
  }

  add(...messages: readonly Message[]): void {
    this.#turns.push(...messages)
  }

  /** Adds a question. A previous one without an answer is dropped. */
  ask(text: string): void {
    if (this.#turns.at(-1)?.role === 'user') this.#turns.pop()
    this.add(question(text))
  }

  /** Removes the last question and what came of it; returns the question, or undefined if there is none. */
  takeBack(): string | undefined {
    const last = this.#turns.findLastIndex(m => m.role === 'user')
    const [taken] = last < 0 ? [] : this.#turns.splice(last)
    if (this.#first >= this.#turns.length) this.#first = 0
    return taken?.content ?? undefined
  }

  clear(): void {
    this.#turns = []
    this.#first = 0
  }

  restore(messages: readonly Message[]): void {
    this.#system = messages.filter(m => m.role === 'system').slice(0, 1)
    this.#turns = messages.filter(m => m.role !== 'system')
    this.#first = 0
  }

  setSystem(text: string | null): void {
    this.#system = text === null ? [] : [{ role: 'system', content: text }]
  }

  /**
   * Drops whole turns, each from a question to the next one, so that the rest is a conversation. The system message stays.
   * Returns the prompts before and after; null if nothing was dropped.
   */
  async makeRoom<Prompt extends { readonly length: number }>(
    next: string,
    room: Room,
    promptOf: (messages: readonly Message[]) => Promise<Prompt>,
  ): Promise<{ readonly before: Prompt; readonly after: Prompt } | null> {
    const isOpen = this.#turns.at(-1)?.role === 'user'
    const end = isOpen ? this.#turns.length - 1 : this.#turns.length
    const prompt = (first: number) => promptOf([...this.#from(first, end), question(next)])
    const before = await prompt(this.#first)
    if (before.length <= room.contextLength - room.answer) return null
    let first = this.#first
    let after = before
    while (after.length > roomyLength(room) && first < end) {
      const from = this.#turns.findIndex((m, i) => i > first && i < end && m.role === 'user')
      first = from < 0 ? end : from
      after = await prompt(first)
    }
    // A question that is too long by itself is an error later; do not drop messages for it.
    if (first === this.#first || after.length > room.contextLength) return null
    this.#first = first
    return { before, after }
  }

  #from(first: number, end?: number): readonly Message[] {
    return [...this.#system, ...this.#turns.slice(first, end)]
  }
}

function question(content: string): Message {
  return { role: 'user', content }
}
