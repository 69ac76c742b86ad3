import type { ChatCall, Engine, Generation, Message, PromptOptions, Session } from '../../../src/index.ts'
import type { Telling } from '../answer.ts'
import type { Answer } from '../output/stats.ts'
import { forgetBetween, type Room, roomyLength, tryToDrop } from './room.ts'
import { Turns } from './turns.ts'

/** The messages of a chat, and how the next one becomes a prompt. */
export interface Conversation {
  /** Whether there is a chat template, and so a place for a system message. */
  readonly templated: boolean
  readonly messages: readonly Message[]
  /** Where it is written. */
  readonly session: Session
  /** Leaves out the oldest messages if question and answer would not fit otherwise. Returns whether it did. */
  makeRoom(question: string, room: Room): Promise<boolean>
  /** Starts answering a question. A previous question without an answer is dropped. */
  ask(text: string, options: PromptOptions): Telling
  /** Calls whose results the next messages are; none or absent: the next message is a question. */
  readonly awaits?: readonly ChatCall[]
  /** Takes the message as a result where other calls wait for theirs; false: it is to be answered. */
  takesResult?(text: string): boolean
  /** Adds the answer to the last question. */
  answered(answer: Answer): void
  /** Removes the last question and its answer; returns the question, or undefined if there is none. */
  takeBack(): Promise<string | undefined>
  reset(): Promise<void>
  /** Replaces the conversation by these messages. */
  restore(messages: readonly Message[]): Promise<void>
  setSystem(text: string | null): void
}

/** Renders the whole conversation by the chat template each time; the session reuses its cached rows. */
export class TemplatedConversation implements Conversation {
  readonly templated = true
  protected readonly engine: Engine
  readonly session: Session
  protected readonly turns: Turns

  constructor(engine: Engine, session: Session, messages: readonly Message[]) {
    this.engine = engine
    this.session = session
    this.turns = new Turns(messages)
  }

  get messages(): readonly Message[] {
    return this.turns.all
  }

  async makeRoom(question: string, room: Room): Promise<boolean> {
    const idsOf = async (messages: readonly Message[]) =>
      this.engine.tokenize(await this.engine.applyChatTemplate(messages))
    const made = await this.turns.makeRoom(question, room, idsOf)
    if (made !== null) await forgetBetween(this.session, made.before, made.after)
    return made !== null
  }

  ask(text: string, options: PromptOptions): Telling {
    this.turns.ask(text)
    return this.session.prompt(this.turns.seen, options)
  }

  answered({ text }: Answer): void {
    this.turns.add({ role: 'assistant', content: text })
  }

  async takeBack(): Promise<string | undefined> {
    return this.turns.takeBack()
  }

  async reset(): Promise<void> {
    this.turns.clear()
    await this.session.reset()
  }

  async restore(messages: readonly Message[]): Promise<void> {
    this.turns.restore(messages)
  }

  setSystem(text: string | null): void {
    this.turns.setSystem(text)
  }
}

/**
 * Without a template the conversation is one text: the user's text, the model's continuation, a line break, and so on. The
 * session's timeline is that text, so each prompt contains only the new part.
 */
export class PlainConversation implements Conversation {
  readonly templated = false
  readonly #engine: Engine
  readonly session: Session
  #turns: readonly Message[]
  /** The session is empty: the next prompt has to contain the whole text. */
  #cold: boolean
  /** The rest of the text after its beginning was left out; null: all of it. */
  #left: string | null = null

  constructor(engine: Engine, session: Session, messages: readonly Message[]) {
    this.#engine = engine
    this.session = session
    this.#turns = messages
    this.#cold = messages.length > 0 && session.tokens.length === 0
  }

  get messages(): readonly Message[] {
    return this.#turns
  }

  /** Keeps the first tokens, since much attention goes to them, and the end of the text. */
  async makeRoom(question: string, room: Room): Promise<boolean> {
    const past = this.#cold ? await this.#engine.tokenize(this.#coldText()) : this.session.tokens
    const asked = (await this.#engine.tokenize(`\n${question}`)).length
    if (past.length + asked <= room.contextLength - room.answer || asked > room.contextLength) return false
    const from = past.length - Math.max(roomyLength(room) - asked - SINKS, 0)
    if (from <= SINKS) return false
    if (!this.#cold && (await tryToDrop(this.session, SINKS, from))) return true
    this.#left = await this.#engine.detokenize(past.slice(from))
    this.#cold = true
    await this.session.reset()
    return true
  }

  ask(text: string, options: PromptOptions): Generation {
    const messages = answeredOnly(this.#turns)
    const before = this.#cold ? this.#coldText() : ''
    const joint = messages.length > 0 ? '\n' : ''
    this.#turns = [...messages, { role: 'user', content: text }]
    this.#cold = false
    this.#left = null
    return this.session.prompt(before + joint + text, options)
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

  setSystem(): void {
    throw new Error('a plain conversation has no system message')
  }

  #coldText(): string {
    return this.#left ?? transcript(answeredOnly(this.#turns))
  }

  async #forget(): Promise<void> {
    await this.session.reset()
    this.#left = null
    this.#cold = this.#turns.length > 0
  }
}

/** Number of first tokens that stay, as in the engine's rolling contexts. */
const SINKS = 4

/** Question and answer are one text; a line break separates them from the next. */
function transcript(turns: readonly Message[]): string {
  return turns.map((m, i) => (m.role === 'user' && i > 0 ? '\n' : '') + (m.content ?? '')).join('')
}

function answeredOnly(turns: readonly Message[]): readonly Message[] {
  return turns.at(-1)?.role === 'user' ? turns.slice(0, -1) : turns
}
