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
import { type Room, roomyLength } from './room.ts'
import { ToolView } from './tool-view.ts'

/** A conversation whose answers may call tools: those that nothing executes are answered by the user's next messages. */
export class ToolConversation implements Conversation {
  readonly templated = true
  readonly #engine: Engine
  readonly #session: Session
  readonly #kit: ToolKit
  #system: Message[] = []
  #turns: Message[] = []
  /** Index of the first turn that the model still sees. */
  #first = 0
  /** Of the answer that is being told. */
  #added: readonly ChatAnswerMessage[] | null = null
  /** Calls that wait for the user to say what they gave. */
  #pending: readonly ChatCall[] = []

  constructor(engine: Engine, session: Session, messages: readonly Message[], kit: ToolKit) {
    this.#engine = engine
    this.#session = session
    this.#kit = kit
    this.#take(messages)
  }

  get messages(): readonly Message[] {
    return [...this.#system, ...this.#turns]
  }

  get cache(): CacheStats {
    return this.#session.cache
  }

  get awaits(): ChatCall | null {
    return this.#pending[0] ?? null
  }

  /** Of several results, all but the last are only taken. */
  takesResult(text: string): boolean {
    if (this.#pending.length < 2) return false
    this.#give(text)
    return true
  }

  /** Drops whole turns, each from a question to the next one. The system message stays. */
  async makeRoom(question: string, { contextLength, answer }: Room): Promise<boolean> {
    const count = async (first: number) => {
      const seen = [...this.#system, ...this.#turns.slice(first), { role: 'user', content: question } as const]
      return (await this.#engine.countChat(seen, { tools: this.#kit.tools })).tokens
    }
    const before = await count(this.#first)
    if (this.#pending.length > 0 || before <= contextLength - answer) return false
    let first = this.#first
    let after = before
    while (after > roomyLength({ contextLength, answer }) && first < this.#turns.length) {
      const next = this.#turns.findIndex((m, i) => i > first && m.role === 'user')
      first = next < 0 ? this.#turns.length : next
      after = await count(first)
    }
    if (first === this.#first || after > contextLength) return false
    this.#first = first
    return true
  }

  ask(
    text: string,
    { tools: _, beams: __, addSpecialTokens: ___, skipSpecialTokens: ____, ...options }: PromptOptions,
  ): Telling {
    if (this.#pending.length > 0) this.#give(text)
    else {
      if (this.#turns.at(-1)?.role === 'user') this.#turns.pop()
      this.#turns.push({ role: 'user', content: text })
    }
    const { tools, choice, parallel } = this.#kit
    const messages = [...this.#system, ...this.#turns.slice(this.#first)]
    this.#added = null
    const chat = this.#session.chat(messages, { ...options, tools, parallel, ...(choice && { toolChoice: choice }) })
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
    this.#turns.push(...((this.#added as readonly Message[] | null) ?? [{ role: 'assistant', content: text }]))
    this.#added = null
  }

  async takeBack(): Promise<string | undefined> {
    this.#pending = []
    const last = this.#turns.findLastIndex(m => m.role === 'user')
    const [question] = last < 0 ? [] : this.#turns.splice(last)
    if (this.#first >= this.#turns.length) this.#first = 0
    return question?.content ?? undefined
  }

  async reset(): Promise<void> {
    this.#pending = []
    this.#turns = []
    this.#first = 0
    await this.#session.reset()
  }

  async restore(messages: readonly Message[]): Promise<void> {
    this.#pending = []
    this.#take(messages)
  }

  async save(file: string, notes: unknown): Promise<void> {
    await this.#session.save(file, { rows: false, notes })
  }

  setSystem(text: string | null): void {
    this.#system = text === null ? [] : [{ role: 'system', content: text }]
  }

  #give(result: string): void {
    const [call, ...others] = this.#pending
    this.#pending = others
    const given: ConversationMessage = { role: 'tool', toolCallId: call?.id ?? '', content: result }
    this.#turns.push(given as unknown as Message)
  }

  #take(messages: readonly Message[]): void {
    this.#system = messages.filter(m => m.role === 'system').slice(0, 1)
    this.#turns = messages.filter(m => m.role !== 'system')
    this.#first = 0
  }
}
