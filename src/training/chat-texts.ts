import { describedTools, readTools } from '../engine/api/tools.ts'
import { OptionError } from '../errors.ts'
import {
  type Capabilities,
  type ChatFormat,
  type ConversationMessage,
  chatFormat,
  detectFormat,
  normalise,
  probe,
  readConversation,
} from '../formats/index.ts'
import { show } from '../options/show.ts'
import type { ChatMessage } from '../tokenizer/chat-template.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import type { Document } from './pieces.ts'

type Tools = ReturnType<typeof describedTools>
type Arranged = { messages: readonly ChatMessage[]; tools: readonly unknown[] | undefined }

/** Some templates write the date; with today's, a run could not go on tomorrow. The day that Llama 3.1's template falls back to. */
const NOW = new Date(2024, 6, 26)

/** What of a document is an answer: token positions from .. to. */
interface Answer {
  readonly from: number
  readonly to: number
}

/**
 * Chats as documents of which only the answers are learned, each with the token that ends it. Where an answer begins and ends is found
 * by rendering: its prompt is what a session would be given for it, so its first token is the first that a model would write.
 */
export class ChatTexts {
  readonly #tokenizer: Tokenizer
  readonly #ends: ReadonlySet<number>
  readonly #format: ChatFormat
  #capabilities: Capabilities | null = null

  /** `ends`: tokens that end an answer. */
  constructor(tokenizer: Tokenizer, modelType: string, ends: readonly number[]) {
    this.#tokenizer = tokenizer
    this.#ends = new Set(ends)
    const template = tokenizer.chatTemplate('tool_use') ?? tokenizer.chatTemplate()
    this.#format = chatFormat(detectFormat({ template, addedTokens: tokenizer.addedTokenTexts, modelType }))
  }

  /**
   * Messages in our form or OpenAI's, and tools in OpenAI's. An assistant's message with `weight: 0` is not learned. One document, or several:
   * a template that writes earlier answers otherwise once others follow gives each such answer a document of its own, which
   * ends with it. Throws OptionError and TemplateError.
   */
  documents(messages: unknown, givenTools: unknown): Document[] {
    if (!Array.isArray(messages)) throw new OptionError(`messages is ${show(messages)}; expected a list`)
    const tools = describedTools(readTools(givenTools ?? undefined))
    const weights = messages.map((message: unknown, i) => weightOf(message, `messages[${i}]`))
    const read = readConversation(messages.map(withoutWeight))
    // What an assistant says first answers nothing.
    let left = read.flatMap(({ role }, i) => (i > 0 && role === 'assistant' && weights[i] !== 0 ? [i] : []))
    if (left.length === 0)
      throw new OptionError('messages has no answer to learn; expected one of role "assistant" after others')
    const documents: Document[] = []
    while (left.length > 0) {
      const last = left.at(-1) as number
      const { document, learned } = this.#document(read.slice(0, last + 1), tools, left)
      documents.push(document)
      left = left.filter(index => !learned.has(index))
    }
    return documents.reverse()
  }

  /** Ids of a conversation's last answer, with the token that ends it, and of what a session would be given before. Throws as `documents` does. */
  lastAnswer(
    messages: readonly unknown[],
    tools: unknown,
  ): { readonly prompt: Int32Array; readonly answer: Int32Array } {
    const read = readConversation(messages)
    const last = read.length - 1
    if (last < 1 || read[last]?.role !== 'assistant')
      throw new OptionError('the messages end with no answer; expected one of role "assistant" after others')
    const { document } = this.#document(read, describedTools(readTools(tools ?? undefined)), [last])
    const { tokens, learned } = document
    const from = learned.indexOf(1)
    return { prompt: tokens.subarray(0, from), answer: tokens.subarray(from) }
  }

  /** The conversation, which ends with an answer, with as many of the wanted answers as its text has just as a session would see them. */
  #document(messages: readonly ConversationMessage[], tools: Tools, wanted: readonly number[]) {
    const last = messages.length - 1
    const { text, cut } = this.#arranged(messages, tools, 'closed')
    const ids: number[] = []
    const answers: Answer[] = []
    const learned = new Set<number>()
    let at = 0
    const add = (to: number) => {
      for (const id of cut(at, to)) ids.push(id)
      at = to
    }
    for (const index of wanted) {
      const opened = this.#arranged(messages.slice(0, index), tools, 'opening').text
      const closed = index === last ? text : this.#arranged(messages.slice(0, index + 1), tools, 'closed').text
      if (!closed.startsWith(opened)) {
        if (index === last) throw otherOpening(opened, closed, index)
        continue
      }
      if (!text.startsWith(closed) || opened.length < at) continue
      // What ends the answer may be the next message's first token.
      const inside = cut(opened.length, closed.length)
      const end = inside.findLastIndex(id => this.#ends.has(id))
      const next = end < 0 && index !== last ? cut(closed.length, text.length)[0] : undefined
      if (end < 0 && index !== last && (next === undefined || !this.#ends.has(next))) continue
      add(opened.length)
      const from = ids.length
      add(closed.length)
      learned.add(index)
      answers.push({ from, to: end >= 0 ? from + end + 1 : ids.length + 1 })
    }
    add(text.length)
    const final = answers.at(-1) as Answer
    if (final.to > ids.length) ids.push(this.#end())
    // Nothing after the last answer is of use.
    const tokens = Int32Array.from(ids.slice(0, final.to))
    const flags = new Uint8Array(tokens.length)
    for (const { from, to } of answers) flags.fill(1, from, to)
    return { document: { tokens, learned: flags }, learned }
  }

  #end(): number {
    const id = this.#tokenizer.eosId ?? [...this.#ends][0]
    if (id !== undefined) return id
    throw new OptionError('the model names no token that ends a text (eos_token); an answer could not end')
  }

  #arranged(messages: readonly ConversationMessage[], tools: Tools, end: 'opening' | 'closed') {
    const arrange = (marked: readonly unknown[], markedTools: readonly unknown[]) =>
      normalise(
        marked as readonly ConversationMessage[],
        markedTools as Tools,
        this.#can,
        this.#format,
      ) as unknown as Arranged
    return this.#tokenizer.arrangedChat({ messages, tools, arrange, end, now: NOW })
  }

  get #can(): Capabilities {
    this.#capabilities ??= probe((messages, { tools, addGenerationPrompt = false, variables } = {}) =>
      this.#tokenizer.applyChatTemplate(messages as readonly ChatMessage[], {
        addGenerationPrompt,
        now: NOW,
        ...(tools && { tools }),
        ...(variables && { variables }),
      }),
    )
    return this.#capabilities
  }
}

/** OpenAI's mark of what is learned: 0 or 1. */
function weightOf(message: unknown, where: string): unknown {
  const weight = isObject(message) ? message.weight : undefined
  if (weight === undefined || weight === null || weight === 0 || weight === 1) return weight
  throw new OptionError(`${where}.weight is ${show(weight)}; expected 0 or 1`)
}

function withoutWeight(message: unknown): unknown {
  if (!isObject(message)) return message
  const { weight: _, ...others } = message
  return others
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Templates of models that think may open every answer with their thoughts, and leave these out of what was answered. */
function otherOpening(opened: string, closed: string, index: number): OptionError {
  let same = 0
  while (same < opened.length && opened[same] === closed[same]) same++
  const rest = opened.slice(same)
  const written = closed.slice(same, same + 40)
  return new OptionError(
    `messages[${index}]: the chat template opens an answer with ${show(rest)}, but writes this one as ${show(written)}…, so a model ` +
      'would never be asked for it; give the reasoning too ("reasoning"), or another chat template',
  )
}
