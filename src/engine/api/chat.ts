import { OptionError } from '../../errors.ts'
import {
  type AssistantMessage,
  type ConversationMessage,
  chatFormat,
  type Reply,
  ReplyBuilder,
  type ReplyEvent,
  ReplyParser,
  type ToolChoice,
} from '../../formats/index.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import { plainData, readable } from '../../options/plain-data.ts'
import { show } from '../../options/show.ts'
import type {
  ChatAnswerMessage,
  ChatCall,
  ChatEvent,
  ChatOptions,
  ChatResult,
  ChatTool,
  Conversation,
} from '../types/chat.ts'
import type { PreparedChat } from '../types/protocol.ts'
import type { Completion, Generation } from '../types/results.ts'
import type { GenerationStream } from '../wire/generation.ts'

export type Tools = Readonly<Record<string, ChatTool>>

/** How a chat reaches the host. */
export interface ChatAsks {
  prepare(messages: readonly ConversationMessage[], conversation: Conversation): Promise<PreparedChat>
  prompt(messages: readonly ConversationMessage[], conversation: Conversation, forced: GrammarSource | null): Generation
}

const MOST_ROUNDS = 8
const TOOL_NAME = /^[\w.-]{1,64}$/

/** Tools as a caller gives them: checked, and copied but for their functions. Throws OptionError. */
export function readTools(given: unknown): Tools {
  if (given === undefined) return {}
  return readable('tools', () => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw new OptionError(`tools is ${show(given)}; expected an object of tools by their names`)
    }
    return Object.fromEntries(Object.entries(given).map(([name, tool]) => [name, readTool(name, tool)]))
  })
}

function readTool(name: string, given: unknown): ChatTool {
  if (!TOOL_NAME.test(name)) {
    throw new OptionError(`tools has the name ${show(name)}; expected up to 64 letters, digits, "_", "-" and "."`)
  }
  if (typeof given !== 'object' || given === null) {
    throw new OptionError(`tools.${name} is ${show(given)}; expected { description, parameters, execute }`)
  }
  const { description, parameters, execute } = given as ChatTool
  if (description !== undefined && typeof description !== 'string') {
    throw new OptionError(`tools.${name}.description is ${show(description)}; expected a text`)
  }
  if (
    parameters !== undefined &&
    (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters))
  ) {
    throw new OptionError(`tools.${name}.parameters is ${show(parameters)}; expected a JSON schema, an object`)
  }
  if (execute !== undefined && typeof execute !== 'function') {
    throw new OptionError(`tools.${name}.execute is ${show(execute)}; expected a function`)
  }
  return {
    ...(description !== undefined && { description }),
    ...(parameters && { parameters: plainData(parameters, `tools.${name}.parameters`) as Record<string, unknown> }),
    ...(execute && { execute: execute.bind(given) }),
  }
}

/** Throws OptionError for a choice that is none, or that names no tool. */
export function readToolChoice(choice: unknown, tools: Tools): ToolChoice {
  if (choice === undefined || choice === 'auto') return 'auto'
  if (choice === 'none' || choice === 'required') return choice
  const name: unknown = typeof choice === 'object' && choice !== null ? Reflect.get(choice, 'name') : undefined
  if (typeof name === 'string' && Object.hasOwn(tools, name)) return { name }
  throw new OptionError(
    `toolChoice is ${show(choice)}; expected 'auto', 'required', 'none', or { name } of one of the tools`,
  )
}

/** Answers, and executes what they call, until an answer calls nothing that can be executed. */
export class ChatRun {
  readonly #asks: ChatAsks
  readonly #tools: Tools
  readonly #options: Pick<ChatOptions, 'toolChoice' | 'parallel' | 'maxRounds' | 'format'>
  readonly #signal: AbortSignal
  readonly #stream: GenerationStream<ChatEvent, ChatResult>
  readonly #added: ChatAnswerMessage[] = []

  constructor(
    asks: ChatAsks,
    tools: Tools,
    options: ChatOptions,
    stream: GenerationStream<ChatEvent, ChatResult>,
    signal: AbortSignal,
  ) {
    this.#asks = asks
    this.#tools = tools
    this.#options = options
    this.#stream = stream
    this.#signal = signal
  }

  async run(messages: readonly ConversationMessage[]): Promise<ChatResult> {
    const { maxRounds = MOST_ROUNDS, toolChoice = 'auto' } = this.#options
    let choice = toolChoice
    for (let round = 1; ; round++) {
      const { reply, completion } = await this.#answer([...messages, ...this.#added], choice)
      this.#added.push(messageOf(reply))
      const calls = reply.toolCalls.map(({ json: _, ...call }) => call)
      const stopped = completion.finishReason === 'stop' || completion.finishReason === 'aborted'
      const ended = calls.length > 0 && stopped && calls.every(call => call.complete)
      if (!ended || round === maxRounds || !this.#canExecute(calls)) {
        return {
          reasoning: reply.reasoning,
          content: reply.content,
          toolCalls: calls,
          finishReason: ended ? 'toolCalls' : completion.finishReason,
          messages: this.#added,
          usage: completion.usage,
        }
      }
      await this.#execute(calls)
      // A choice that forces calls would force them for ever.
      choice = choice === 'none' ? 'none' : 'auto'
    }
  }

  async #answer(
    messages: readonly ConversationMessage[],
    choice: ToolChoice,
  ): Promise<{ readonly reply: Reply; readonly completion: Completion }> {
    const { parallel = true, format } = this.#options
    const tools = Object.entries(this.#tools).map(([name, { description, parameters }]) => ({
      name,
      ...(description !== undefined && { description }),
      ...(parameters && { parameters }),
    }))
    const conversation: Conversation = { tools, choice, parallel, ...(format && { format }) }
    const prepared = await this.#asks.prepare(messages, conversation)
    this.#signal.throwIfAborted()
    const parser = new ReplyParser({
      format: chatFormat(prepared.format),
      tools: choice === 'none' ? [] : tools,
      prompt: prepared.prompt,
      ends: prepared.ends,
      callsBefore: messages.reduce((n, m) => n + (m.role === 'assistant' ? (m.toolCalls?.length ?? 0) : 0), 0),
    })
    const builder = new ReplyBuilder()
    const generation = this.#asks.prompt(messages, conversation, prepared.forced)
    const take = (events: readonly ReplyEvent[]) => {
      const counted = upToFirstCall(events, parallel)
      builder.add(counted)
      this.#stream.push(counted)
      return !parallel && counted.some(({ type }) => type === 'callEnd')
    }
    let cut = false
    for await (const { text } of generation) {
      cut = take(parser.feed(text))
      // Leaving the iteration cancels what would follow.
      if (cut) break
    }
    if (!cut) take(parser.finish())
    return { reply: builder.reply, completion: await generation }
  }

  #canExecute(calls: readonly ChatCall[]): boolean {
    // A name that no tool has is answered with an error: the model may correct itself.
    const known = calls.filter(({ name }) => Object.hasOwn(this.#tools, name))
    return known.every(({ name }) => this.#tools[name]?.execute) && Object.values(this.#tools).some(t => t.execute)
  }

  async #execute(calls: readonly ChatCall[]): Promise<void> {
    const results = await Promise.all(calls.map(call => this.#result(call)))
    this.#signal.throwIfAborted()
    for (const [i, { id: toolCallId }] of calls.entries()) {
      this.#added.push({ role: 'tool', toolCallId, content: results[i] as string })
    }
  }

  async #result(call: ChatCall): Promise<string> {
    const { id, name } = call
    const content = await this.#work(call)
    this.#stream.push([{ type: 'toolResult', id, name, content }])
    return content
  }

  async #work({ complete: _, ...call }: ChatCall): Promise<string> {
    const execute = Object.hasOwn(this.#tools, call.name) ? this.#tools[call.name]?.execute : undefined
    if (!execute) return `Error: there is no tool ${call.name}; there are ${Object.keys(this.#tools).join(', ')}`
    try {
      const result = await execute(call.arguments, { call, signal: this.#signal })
      return typeof result === 'string' ? result : (JSON.stringify(result) ?? '')
    } catch (error) {
      this.#signal.throwIfAborted()
      return `Error: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

/** Without parallel calls, nothing after the end of the first one counts. */
function upToFirstCall(events: readonly ReplyEvent[], parallel: boolean): readonly ReplyEvent[] {
  const end = parallel ? -1 : events.findIndex(({ type }) => type === 'callEnd')
  return end < 0 ? events : events.slice(0, end + 1)
}

function messageOf({ reasoning, content, toolCalls }: Reply): AssistantMessage {
  return {
    role: 'assistant',
    content: content === '' && toolCalls.length > 0 ? null : content,
    ...(reasoning !== '' && { reasoning }),
    ...(toolCalls.length > 0 && {
      toolCalls: toolCalls.map(({ id, name, arguments: given }) => ({ id, name, arguments: given })),
    }),
  }
}
