import type { AssistantMessage, ConversationMessage } from './messages.ts'
import type { Reply } from './read/reply.ts'

/** An answer as it was generated. */
export interface OwnAnswer {
  /** Its text, special tokens included, without the token that ended it. */
  readonly text: string
  readonly ids: readonly number[]
  readonly reasoning: string
}

interface Node {
  readonly id: number
  readonly size: number
  answer: OwnAnswer | null
}

/** A node's id, or what a salt's conversations begin at. */
type Parent = number | string

/** Most characters and ids that are remembered. */
const MOST = 1 << 22

/**
 * Answers of ours by the whole conversation that they ended, so that their own ids are used when they come back in a history.
 * Reasoning does not count: clients leave it out. Answers of one salt are not known under another. The oldest are forgotten, whoever's
 * they are.
 */
export class OwnAnswers {
  readonly #nodes = new Map<string, Node>()
  readonly #most: number
  #size = 0
  #next = 1

  constructor(most = MOST) {
    this.#most = most
  }

  remember(conversation: readonly ConversationMessage[], reply: Reply, own: OwnAnswer, salt = ''): void {
    const { content, toolCalls } = reply
    let parent: Parent = rootOf(salt)
    for (const message of conversation) parent = this.#child(parent, message, 0, true)?.id ?? parent
    const answer: AssistantMessage = { role: 'assistant', content, toolCalls }
    const node = this.#child(parent, answer, own.text.length + own.ids.length, true)
    if (node) node.answer = own
    for (const [key, oldest] of this.#nodes) {
      if (this.#size <= this.#most) break
      this.#nodes.delete(key)
      this.#size -= oldest.size
    }
  }

  /** For each message, the answer of ours that it is; null: none. */
  recall(conversation: readonly ConversationMessage[], salt = ''): (OwnAnswer | null)[] {
    let parent: Parent | null = rootOf(salt)
    return conversation.map(message => {
      const node: Node | undefined = parent === null ? undefined : this.#child(parent, message, 0, false)
      parent = node?.id ?? null
      return node?.answer ?? null
    })
  }

  #child(parent: Parent, message: ConversationMessage, size: number, adds: boolean): Node | undefined {
    const key = `${parent} ${keyOf(message)}`
    const known = this.#nodes.get(key)
    if (known === undefined && !adds) return undefined
    const node = known ?? { id: this.#next++, size: size + key.length, answer: null }
    // Again the youngest.
    this.#nodes.delete(key)
    this.#nodes.set(key, node)
    if (known === undefined) this.#size += node.size
    return node
  }
}

function rootOf(salt: string): string {
  return JSON.stringify(salt)
}

function keyOf(message: ConversationMessage): string {
  if (message.role !== 'assistant') return JSON.stringify(message)
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: given }) => [id, name, given])
  return JSON.stringify(['assistant', message.content ?? '', calls])
}
