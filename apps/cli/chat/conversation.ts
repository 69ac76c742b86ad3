import type { CacheStats, Engine, Generation, Message, PromptOptions, Session } from '../../../src/index.ts'
import type { Answer } from '../output/stats.ts'
import { forgetBetween, type Room, roomyLength, tryToDrop } from './room.ts'

/** What was said, and how the next thing to say becomes a prompt. */
export interface Conversation {
  /** Whether a system message has a place. */
  readonly templated: boolean
  readonly messages: readonly Message[]
  readonly cache: CacheStats
  /** Leaves out the oldest of what was said where question and answer would not fit with it; whether it did so now. */
  makeRoom(question: string, room: Room): Promise<boolean>
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
  return hasChatTemplate
    ? new TemplatedConversation(engine, session, messages)
    : new PlainConversation(engine, session, messages)
}

/** The chat template renders the whole conversation each time; the session reuses what it remembers of it. */
class TemplatedConversation implements Conversation {
  readonly templated = true
  readonly #engine: Engine
  readonly #session: Session
  #system: Message[] = []
  #turns: Message[] = []
  /** Of the turns that the model still sees. */
  #first = 0

  constructor(engine: Engine, session: Session, messages: readonly Message[]) {
    this.#engine = engine
    this.#session = session
    this.#take(messages)
  }

  get messages(): readonly Message[] {
    return [...this.#system, ...this.#turns]
  }

  get cache(): CacheStats {
    return this.#session.cache
  }

  /** Turns go from question to question, so that what is left is a conversation; the system message stays. */
  async makeRoom(question: string, room: Room): Promise<boolean> {
    const said = answeredOnly(this.#turns)
    const prompt = (first: number) => this.#idsOf([...this.#system, ...said.slice(first), user(question)])
    const before = await prompt(this.#first)
    if (before.length <= room.contextLength - room.answer) return false
    let first = this.#first
    let after = before
    while (after.length > roomyLength(room) && first < said.length) {
      const next = said.findIndex((m, i) => i > first && m.role === 'user')
      first = next < 0 ? said.length : next
      after = await prompt(first)
    }
    // A question that is too long by itself is told as that, and costs nothing of what was said.
    if (first === this.#first || after.length > room.contextLength) return false
    this.#first = first
    await forgetBetween(this.#session, before, after)
    return true
  }

  ask(text: string, options: PromptOptions): Generation {
    this.#turns = [...answeredOnly(this.#turns), user(text)]
    return this.#session.prompt([...this.#system, ...this.#turns.slice(this.#first)], options)
  }

  async #idsOf(messages: readonly Message[]): Promise<readonly number[]> {
    return this.#engine.tokenize(await this.#engine.applyChatTemplate(messages))
  }

  answered({ text }: Answer): void {
    this.#turns.push({ role: 'assistant', content: text })
  }

  async takeBack(): Promise<string | undefined> {
    const last = this.#turns.findLastIndex(m => m.role === 'user')
    const [question] = last < 0 ? [] : this.#turns.splice(last)
    if (this.#first >= this.#turns.length) this.#first = 0
    return question?.content ?? undefined
  }

  async reset(): Promise<void> {
    this.#turns = []
    this.#first = 0
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
    this.#first = 0
  }
}

/**
 * Without a template the conversation is one text: what the user writes, what the model went on with, a line break,
 * and so on. The session's timeline is that text, so each prompt is only what is new.
 */
class PlainConversation implements Conversation {
  readonly templated = false
  readonly #engine: Engine
  readonly #session: Session
  #turns: readonly Message[]
  /** The timeline was forgotten: the next prompt has to say it all. */
  #cold: boolean
  /** What is left of it, where that is not all; null: all. */
  #left: string | null = null

  constructor(engine: Engine, session: Session, messages: readonly Message[]) {
    this.#engine = engine
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

  /** The text's first tokens stay, as much attention rests on them, and then its end. */
  async makeRoom(question: string, room: Room): Promise<boolean> {
    const past = this.#cold ? await this.#engine.tokenize(this.#coldText()) : this.#session.tokens
    const asked = (await this.#engine.tokenize(`\n${question}`)).length
    if (past.length + asked <= room.contextLength - room.answer || asked > room.contextLength) return false
    const from = past.length - Math.max(roomyLength(room) - asked - SINKS, 0)
    if (from <= SINKS) return false
    if (!this.#cold && (await tryToDrop(this.#session, SINKS, from))) return true
    this.#left = await this.#engine.detokenize(past.slice(from))
    this.#cold = true
    await this.#session.reset()
    return true
  }

  ask(text: string, options: PromptOptions): Generation {
    const said = answeredOnly(this.#turns)
    const before = this.#cold ? this.#coldText() : ''
    const joint = said.length > 0 ? '\n' : ''
    this.#turns = [...said, { role: 'user', content: text }]
    this.#cold = false
    this.#left = null
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
    await this.#forget()
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

  #coldText(): string {
    return this.#left ?? transcript(answeredOnly(this.#turns))
  }

  async #forget(): Promise<void> {
    await this.#session.reset()
    this.#left = null
    this.#cold = this.#turns.length > 0
  }
}

/** Tokens from the start that stay, as in the engine's rolling contexts. */
const SINKS = 4

function user(content: string): Message {
  return { role: 'user', content }
}

/** Question and answer are one run of text; a line break parts them from the next. */
function transcript(turns: readonly Message[]): string {
  return turns.map((m, i) => (m.role === 'user' && i > 0 ? '\n' : '') + (m.content ?? '')).join('')
}

function answeredOnly(turns: readonly Message[]): readonly Message[] {
  return turns.at(-1)?.role === 'user' ? turns.slice(0, -1) : turns
}
