import type { CacheStats, Engine, Generation, Message, PromptOptions, Session } from '../../../src/index.ts'
import type { Answer } from '../output/stats.ts'

/** What was said, and how the next thing to say becomes a prompt. */
export interface Conversation {
  /** Whether a system message has a place. */
  readonly templated: boolean
  readonly messages: readonly Message[]
  readonly cache: CacheStats
  /** What was asked last and not answered is taken as not said. */
  ask(text: string, options: PromptOptions): Generation
  /** Notes the answer to what was asked last. */
  answered(answer: Answer): void
  /** Takes back the last question and its answer; undefined if there is none. */
  takeBack(): Promise<string | undefined>
  reset(): Promise<void>
  /** Goes on from these messages. */
  restore(messages: readonly Message[]): Promise<void>
  setSystem(text: string | null): void
  /** Keeps the session in a file, without its rows: the cache folder has those. */
  save(file: string, notes: unknown): Promise<void>
}

/** A conversation that begins, or goes on in a session that holds these messages already. */
export function conversation(
  engine: Engine,
  session = engine.session(),
  messages: readonly Message[] = [],
): Conversation {
  const { hasChatTemplate } = engine.info
  return hasChatTemplate ? new TemplatedConversation(session, messages) : new PlainConversation(session, messages)
}

/** The chat template renders the whole conversation each time; the session reuses what it remembers of it. */
class TemplatedConversation implements Conversation {
  readonly templated = true
  readonly #session: Session
  #system: Message[] = []
  #turns: Message[] = []

  constructor(session: Session, messages: readonly Message[]) {
    this.#session = session
    this.#take(messages)
  }

  get messages(): readonly Message[] {
    return [...this.#system, ...this.#turns]
  }

  get cache(): CacheStats {
    return this.#session.cache
  }

  ask(text: string, options: PromptOptions): Generation {
    this.#turns = [...answeredOnly(this.#turns), { role: 'user', content: text }]
    return this.#session.prompt(this.messages, options)
  }

  answered({ text }: Answer): void {
    this.#turns.push({ role: 'assistant', content: text })
  }

  async takeBack(): Promise<string | undefined> {
    const last = this.#turns.findLastIndex(m => m.role === 'user')
    const [question] = last < 0 ? [] : this.#turns.splice(last)
    return question?.content ?? undefined
  }

  async reset(): Promise<void> {
    this.#turns = []
    await this.#session.reset()
  }

  async restore(messages: readonly Message[]): Promise<void> {
    this.#take(messages)
  }

  async save(file: string, notes: unknown): Promise<void> {
    await this.#session.save(file, { rows: false, notes })
  }

  setSystem(text: string | null): void {
    this.#system = text === null ? [] : [{ role: 'system', content: text }]
  }

  #take(messages: readonly Message[]): void {
    this.#system = messages.filter(m => m.role === 'system').slice(0, 1)
    this.#turns = messages.filter(m => m.role !== 'system')
  }
}

/**
 * Without a template the conversation is one text: what the user writes, what the model went on with, a line break,
 * and so on. The session's timeline is that text, so each prompt is only what is new.
 */
class PlainConversation implements Conversation {
  readonly templated = false
  readonly #session: Session
  #turns: readonly Message[]
  /** The timeline was forgotten: the next prompt has to say it all. */
  #cold: boolean

  constructor(session: Session, messages: readonly Message[]) {
    this.#session = session
    this.#turns = messages
    this.#cold = messages.length > 0 && session.tokens.length === 0
  }

  get messages(): readonly Message[] {
    return this.#turns
  }

  get cache(): CacheStats {
    return this.#session.cache
  }

  ask(text: string, options: PromptOptions): Generation {
    const said = answeredOnly(this.#turns)
    const before = this.#cold ? transcript(said) : ''
    const joint = said.length > 0 ? '\n' : ''
    this.#turns = [...said, { role: 'user', content: text }]
    this.#cold = false
    return this.#session.prompt(before + joint + text, options)
  }

  answered({ text }: Answer): void {
    this.#turns = [...this.#turns, { role: 'assistant', content: text }]
  }

  async takeBack(): Promise<string | undefined> {
    const last = this.#turns.findLastIndex(m => m.role === 'user')
    if (last < 0) return undefined
    const question = this.#turns[last]
    this.#turns = this.#turns.slice(0, last)
    await this.#forget()
    return question?.content ?? undefined
  }

  async reset(): Promise<void> {
    this.#turns = []
    await this.#session.reset()
  }

  async restore(messages: readonly Message[]): Promise<void> {
    this.#turns = [...messages]
    await this.#forget()
  }

  async save(file: string, notes: unknown): Promise<void> {
    await this.#session.save(file, { rows: false, notes })
  }

  setSystem(): void {
    throw new Error('a plain conversation has no system message')
  }

  async #forget(): Promise<void> {
    await this.#session.reset()
    this.#cold = this.#turns.length > 0
  }
}

/** Question and answer are one run of text; a line break parts them from the next. */
function transcript(turns: readonly Message[]): string {
  return turns.map((m, i) => (m.role === 'user' && i > 0 ? '\n' : '') + (m.content ?? '')).join('')
}

function answeredOnly(turns: readonly Message[]): readonly Message[] {
  return turns.at(-1)?.role === 'user' ? turns.slice(0, -1) : turns
}
