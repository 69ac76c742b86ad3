import {
  type AssistantMessage,
  type ConversationMessage,
  chatFormat,
  type Reply,
  replyReader,
  type ToolChoice,
  textOf,
} from '../../formats/index.ts'
import type { ChatAnswerMessage, ChatCall, ChatEvent, ChatResult, Conversation } from '../types/chat.ts'
import type { ChatOptions } from '../types/options/chat.ts'
import type { PreparedChat } from '../types/protocol.ts'
import type { Completion, Generation } from '../types/results.ts'
import type { GenerationStream } from '../wire/generation.ts'
import { ChatAnswer } from './chat-answer.ts'
import { conversationOf } from './chat-options.ts'
import type { Output } from './output.ts'
import { resultText, type Tools } from './tools.ts'

/** How a chat reaches the host. */
export interface ChatAsks {
  prepare(messages: readonly ConversationMessage[], conversation: Conversation): Promise<PreparedChat>
  prompt(messages: readonly ConversationMessage[], conversation: Conversation, prepared: PreparedChat): Generation
}

/** What a chat does, beside its tools. */
export interface ChatRunOptions
  extends Pick<
    ChatOptions,
    'toolChoice' | 'parallel' | 'maxRounds' | 'format' | 'reasoningEffort' | 'continueFinalMessage'
  > {
  /** What an answer is held to that calls nothing; null: nothing. */
  readonly output?: Output | null
}

interface Answered {
  readonly reply: Reply
  readonly completion: Completion
  readonly reasoningTokens: number
  /** What was written after the reasoning, as it is. */
  readonly written: string
  /** Marks of reasoning. */
  readonly marks: { readonly begin: string; readonly end: string }
}

const MAX_ROUNDS = 8

/** Answers, and executes what they call, until an answer calls nothing that can be executed. */
export class ChatRun {
  readonly #asks: ChatAsks
  readonly #tools: Tools
  readonly #options: ChatRunOptions
  readonly #signal: AbortSignal
  readonly #stream: GenerationStream<ChatEvent, ChatResult>
  readonly #added: ChatAnswerMessage[] = []

  constructor(
    asks: ChatAsks,
    tools: Tools,
    options: ChatRunOptions,
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
    const { maxRounds = MAX_ROUNDS, toolChoice = 'auto', continueFinalMessage = false } = this.#options
    const begun = continueFinalMessage ? messages.at(-1) : undefined
    let choice = toolChoice
    for (let round = 1; ; round++) {
      const continued = round === 1 ? begun : undefined
      const answered = await this.#answer(
        round === 1 ? messages : [...(begun ? messages.slice(0, -1) : messages), ...this.#added],
        choice,
        continued !== undefined,
      )
      const { reply, completion } = answered
      this.#added.push(messageOf(answered, continued))
      const calls = reply.toolCalls.map(({ json: _, ...call }) => call)
      const stopped = completion.finishReason === 'stop' || completion.finishReason === 'aborted'
      const ended = calls.length > 0 && stopped && calls.every(call => call.complete)
      const ends = ended ? 'toolCalls' : completion.finishReason
      if (!ended || !this.#canExecute(calls)) return this.#result(answered, calls, ends)
      if (round === maxRounds) return this.#result(answered, calls, 'rounds')
      await this.#execute(calls)
      // A choice that forces calls would force them for ever.
      choice = choice === 'none' ? 'none' : 'auto'
    }
  }

  async #result(
    { reply, completion, reasoningTokens, written }: Answered,
    toolCalls: readonly ChatCall[],
    ends: ChatResult['finishReason'],
  ): Promise<ChatResult> {
    const { output } = this.#options
    const { finishReason, stopSequence, stopTokenId, usage, timings, seed, tokenIds, logprobs } = completion
    const finished =
      toolCalls.length === 0 && finishReason === 'stop' ? await output?.value(written, completion) : undefined
    return {
      reasoning: reply.reasoning,
      content: reply.content,
      toolCalls,
      finishReason: ends,
      ...(stopSequence !== undefined && { stopSequence }),
      ...(stopTokenId !== undefined && { stopTokenId }),
      messages: this.#added,
      ...(finished !== undefined && { value: finished }),
      usage: { ...usage, reasoningTokens: Math.min(reasoningTokens, usage.completionTokens) },
      timings,
      seed,
      tokenIds,
      ...(logprobs && { logprobs }),
    }
  }

  async #answer(messages: readonly ConversationMessage[], choice: ToolChoice, continues: boolean): Promise<Answered> {
    const { output } = this.#options
    const held = await output?.begin()
    const asked = conversationOf(this.#tools, choice, { ...this.#options, continueFinalMessage: continues })
    const conversation: Conversation = { ...asked, ...(held && { output: held }) }
    const prepared = await this.#asks.prepare(messages, conversation)
    this.#signal.throwIfAborted()
    const onlyCalls = choice === 'required' || typeof choice === 'object'
    const parser = replyReader({
      format: chatFormat(prepared.format),
      tools: choice === 'none' ? [] : conversation.tools,
      prompt: prepared.prompt,
      unwraps: held === undefined,
      onlyCalls,
      ends: prepared.ends,
      toldMarks: prepared.marks !== undefined,
      callsBefore: messages.reduce((n, m) => n + (m.role === 'assistant' ? (m.toolCalls?.length ?? 0) : 0), 0),
    })
    const answer = new ChatAnswer(parser, conversation.parallel, prepared.marks)
    const generation = this.#asks.prompt(messages, conversation, prepared)
    const push = (events: readonly ChatEvent[]) => {
      this.#stream.push(output ? events.map(event => (event.type === 'content' ? output.chunk(event) : event)) : events)
    }
    let written = ''
    let resumed = ''
    for await (const chunk of generation) {
      const { text, reasoning, before = '' } = chunk
      output?.resumed(before)
      resumed += before
      written += reasoning ? before : before + text
      if (!answer.ended) push(answer.feed(chunk))
      // Leaving the iteration cancels what would follow. Where a grammar ends it after some marks, it is kept whole instead: such an
      // answer is known again when it comes back in a history.
      if (answer.ended && !onlyCalls) break
    }
    if (!answer.ended) push(answer.finish())
    const { reply, reasoningTokens } = answer
    const { reasoning: marks } = chatFormat(prepared.format)
    if (parser.message !== null) written = begunMessage(resumed, prepared) + parser.message
    return { reply, completion: await generation, reasoningTokens, written, marks }
  }

  #canExecute(calls: readonly ChatCall[]): boolean {
    // A name that no tool has is answered with an error: the model may correct itself.
    const known = calls.filter(({ name }) => Object.hasOwn(this.#tools, name))
    return known.every(({ name }) => this.#tools[name]?.execute) && Object.values(this.#tools).some(t => t.execute)
  }

  async #execute(calls: readonly ChatCall[]): Promise<void> {
    const results = await Promise.all(calls.map(call => this.#executed(call)))
    this.#signal.throwIfAborted()
    for (const [i, { id: toolCallId }] of calls.entries()) {
      this.#added.push({ role: 'tool', toolCallId, content: results[i] as string })
    }
  }

  async #executed(call: ChatCall): Promise<string> {
    const { id, name } = call
    const content = await this.#work(call)
    this.#stream.push([{ type: 'toolResult', id, name, content }])
    return content
  }

  async #work({ complete: _, ...call }: ChatCall): Promise<string> {
    const execute = Object.hasOwn(this.#tools, call.name) ? this.#tools[call.name]?.execute : undefined
    if (!execute) return `Error: there is no tool ${call.name}; there are ${Object.keys(this.#tools).join(', ')}`
    try {
      return resultText(await execute(call.arguments, { call, signal: this.#signal }), call.name)
    } catch (error) {
      this.#signal.throwIfAborted()
      return `Error: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

/** What of a resumed answer in channels is in its message for the user, which the parser reads on without it. */
function begunMessage(resumed: string, { format, prompt }: Pick<PreparedChat, 'format' | 'prompt'>): string {
  if (prompt === 'closed') return resumed
  const lead = chatFormat(format).channels?.answer ?? ''
  const at = resumed.indexOf(lead)
  return at < 0 ? '' : resumed.slice(at + lead.length)
}

/** `continued`: the message that the answer continues; its text may have begun to reason. */
function messageOf(
  { reply: { reasoning, content, toolCalls }, marks: { begin, end } }: Pick<Answered, 'reply' | 'marks'>,
  continued: ConversationMessage | undefined,
): AssistantMessage {
  const before: AssistantMessage = continued?.role === 'assistant' ? continued : { role: 'assistant' }
  const text = textOf(before.content, 'content')
  const at = text.lastIndexOf(begin)
  const [said, begun] = at > text.lastIndexOf(end) ? [text.slice(0, at), text.slice(at + begin.length)] : [text, '']
  const whole = said + content
  const thought = (before.reasoning ?? '') + begun + reasoning
  return {
    role: 'assistant',
    content: whole === '' && toolCalls.length > 0 ? null : whole,
    ...(thought !== '' && { reasoning: thought }),
    ...(toolCalls.length > 0 && {
      toolCalls: toolCalls.map(({ id, name, arguments: given }) => ({ id, name, arguments: given })),
    }),
  }
}
