import type {
  CacheStats,
  Chat,
  ChatAnswerMessage,
  ChatCall,
  ConversationMessage,
  Engine,
  Message,
  PromptOptions,
  Session,
} from '../../../src/index.ts'
import type { Telling } from '../answer.ts'
import type { ToolKit } from '../options/tools.ts'
import type { Answer } from '../output/stats.ts'
import type { Conversation } from './conversation.ts'
import type { Room } from './room.ts'
import { ToolView } from './tool-view.ts'
import { Turns } from './turns.ts'

/** A conversation whose answers may call tools: those that nothing executes are answered by the user's next messages. */
export class ToolConversation implements Conversation {
  readonly templated = true
  readonly #engine: Engine
  readonly session: Session
  readonly #kit: ToolKit
  readonly #turns: Turns
  /** Of the answer that is being told. */
  #added: readonly ChatAnswerMessage[] | null = null
  /** Calls that wait for the user to say what they gave. */
  #pending: readonly ChatCall[]

  constructor(
    engine: Engine,
    session: Session,
    messages: readonly Message[],
    kit: ToolKit,
    pending: readonly ChatCall[] = [],
  ) {
    this.#engine = engine
    this.session = session
    this.#kit = kit
    this.#turns = new Turns(messages)
    this.#pending = pending
  }

  get messages(): readonly Message[] {
    return this.#turns.all
  }

  get cache(): CacheStats {
    return this.session.cache
  }

  get awaits(): readonly ChatCall[] {
    return this.#pending
  }

  /** Of several results, all but the last are only taken. */
  takesResult(text: string): boolean {
    if (this.#pending.length < 2) return false
    this.#give(text)
    return true
  }

  async makeRoom(question: string, room: Room): Promise<boolean> {
    // The next message is no question then.
    if (this.#pending.length > 0) return false
    const { tools } = this.#kit
    const count = async (messages: readonly Message[]) => ({
      length: (await this.#engine.countChat(messages, { tools })).tokens,
    })
    return (await this.#turns.makeRoom(question, room, count)) !== null
  }

  ask(
    text: string,
    { tools: _, beams: __, addSpecialTokens: ___, skipSpecialTokens: ____, ...options }: PromptOptions,
  ): Telling {
    if (this.#pending.length > 0) this.#give(text)
    else this.#turns.ask(text)
    const { tools, choice, parallel } = this.#kit
    this.#added = null
    const held = { ...options, tools, parallel, ...(choice && { toolChoice: choice }) }
    const chat = this.session.chat(this.#turns.seen, held)
    return this.#telling(chat)
  }

  #telling(chat: Chat): Telling {
    const view = new ToolView()
    let told = ''
    const whole = chat.then((result): Answer => {
      const { messages, finishReason, reasoning, content, toolCalls, tokenIds, seed, usage, timings } = result
      this.#added = messages
      this.#pending = finishReason === 'toolCalls' ? toolCalls : []
      return { text: told, reasoning, content, toolCalls, tokenIds, finishReason, seed, usage, timings }
    })
    // Whoever iterates hears of the failure there.
    whole.catch(() => {})
    return {
      async *[Symbol.asyncIterator]() {
        for await (const event of chat) {
          const text = view.text(event)
          told += text
          if (text !== '') yield { text }
        }
      },
      // biome-ignore lint/suspicious/noThenProperty: it is awaited like a generation
      then: (fulfilled, rejected) => whole.then(fulfilled, rejected),
    }
  }

  answered({ text }: Answer): void {
    // An answer that was stopped has no messages of its own: what was shown of it counts.
    this.#turns.add(...((this.#added as readonly Message[] | null) ?? [{ role: 'assistant', content: text }]))
    this.#added = null
  }

  async takeBack(): Promise<string | undefined> {
    this.#pending = []
    return this.#turns.takeBack()
  }

  async reset(): Promise<void> {
    this.#pending = []
    this.#turns.clear()
    await this.session.reset()
  }

  async restore(messages: readonly Message[]): Promise<void> {
    this.#pending = []
    this.#turns.restore(messages)
  }

  async save(file: string, notes: unknown): Promise<void> {
    await this.session.save(file, { rows: false, notes })
  }

  setSystem(text: string | null): void {
    this.#turns.setSystem(text)
  }

  #give(result: string): void {
    const [call, ...others] = this.#pending
    this.#pending = others
    const given: ConversationMessage = { role: 'tool', toolCallId: call?.id ?? '', content: result }
    this.#turns.add(given as unknown as Message)
  }
}
