import type {
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
import { TemplatedConversation } from './conversation.ts'
import type { Room } from './room.ts'
import { ToolView } from './tool-view.ts'

/** A conversation whose answers may call tools: those that nothing executes are answered by the user's next messages. */
export class ToolConversation extends TemplatedConversation {
  readonly #kit: ToolKit
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
    super(engine, session, messages)
    this.#kit = kit
    this.#pending = pending
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

  override async makeRoom(question: string, room: Room): Promise<boolean> {
    // The next message is no question then.
    if (this.#pending.length > 0) return false
    const { tools } = this.#kit
    const count = async (messages: readonly Message[]) => ({
      length: (await this.engine.countChat(messages, { tools })).tokens,
    })
    return (await this.turns.makeRoom(question, room, count)) !== null
  }

  override ask(
    text: string,
    { tools: _, beams: __, addSpecialTokens: ___, skipSpecialTokens: ____, ...options }: PromptOptions,
  ): Telling {
    if (this.#pending.length > 0) this.#give(text)
    else this.turns.ask(text)
    const { tools, choice, parallel } = this.#kit
    this.#added = null
    const held = { ...options, tools, parallel, ...(choice && { toolChoice: choice }) }
    const chat = this.session.chat(this.turns.seen, held)
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

  override answered({ text }: Answer): void {
    // An answer that was stopped has no messages of its own: what was shown of it counts.
    this.turns.add(...((this.#added as readonly Message[] | null) ?? [{ role: 'assistant', content: text }]))
    this.#added = null
  }

  override takeBack(): Promise<string | undefined> {
    this.#pending = []
    return super.takeBack()
  }

  override reset(): Promise<void> {
    this.#pending = []
    return super.reset()
  }

  override restore(messages: readonly Message[]): Promise<void> {
    this.#pending = []
    return super.restore(messages)
  }

  #give(result: string): void {
    const [call, ...others] = this.#pending
    this.#pending = others
    const given: ConversationMessage = { role: 'tool', toolCallId: call?.id ?? '', content: result }
    this.turns.add(given as unknown as Message)
  }
}
