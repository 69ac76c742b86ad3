import { LatentkitError, OptionError } from '../../errors.ts'
import {
  type Capabilities,
  CHANNEL_MARKS,
  type ChatFormat,
  type ConversationMessage,
  chatFormat,
  detectFormat,
  forcedText,
  normalise,
  OwnAnswers,
  type OwnSpan,
  ownSpans,
  type PromptEnd,
  probe,
  promptEnd,
  readReply,
  type TemplateMessage,
  type TemplateTool,
  textOf,
} from '../../formats/index.ts'
import type { ChatMessage } from '../../tokenizer/chat-template.ts'
import type { Parts } from '../load/load-parts.ts'
import type { Conversation, CountedChat } from '../types/chat.ts'
import type { PreparedChat } from '../types/protocol.ts'
import type { Completion } from '../types/results.ts'
import { ChatGrammars, type HeldCalls } from './chat-grammars.ts'
import type { ChatPrompt, Variables } from './chat-prompt.ts'

/** Conversations with tools: from messages to ids, and from answers back to what is remembered of them. */
export class HostChat {
  readonly #parts: Pick<Parts, 'tokenizer' | 'info' | 'defaults' | 'masks'>
  /** Answers of ours by salt: a conversation's own answers are nobody else's. The last used last. */
  readonly #own = new OwnAnswers()
  readonly #grammars: ChatGrammars
  #capabilities: Capabilities | null = null

  constructor(parts: Pick<Parts, 'tokenizer' | 'info' | 'defaults' | 'masks'>) {
    this.#parts = parts
    this.#grammars = new ChatGrammars(parts)
  }

  /** What the reader of the answer needs. Throws what rendering throws, OptionError, SchemaError. */
  async prepare(prompt: ChatPrompt): Promise<PreparedChat> {
    const { tokenizer, info, defaults } = this.#parts
    const format = this.#format(prompt.conversation)
    const calls = this.#calls(prompt, format)
    const end = this.#end(prompt, beginsFree(prompt, calls))
    const { conversation } = prompt
    const forced = calls
      ? await this.#grammars.ofCalls(conversation, format, calls, end)
      : this.#grammars.ofAnswer(conversation, format, end)
    const trigger = calls?.forced.free ? { texts: calls.forced.triggers, leads: calls.forced.leads } : undefined
    const ends = defaults.eosTokenIds.map(id => [id, tokenizer.decode([id])] as const)
    const marks = format.channels && this.#marks(ends)
    const unthinking = prompt.conversation.effort === 'none' && end === 'open' && info.marksReasoning
    return {
      format: format.name,
      prompt: end,
      forced,
      ...(trigger !== undefined && { trigger }),
      ...(unthinking && { thinks: false }),
      ...(marks && { marks }),
      ends: ends.map(([, end]) => end).filter(end => end !== ''),
    }
  }

  /** Marks of channels, and what ends an answer, by the tokens that they are; undefined: the model has none for one of the marks. */
  #marks(ends: readonly (readonly [id: number, end: string])[]): Readonly<Record<number, string>> | undefined {
    const ids = CHANNEL_MARKS.map(mark => [this.#parts.tokenizer.tokenToId(mark), mark] as const)
    return ids.some(([id]) => id === undefined) ? undefined : Object.fromEntries([...ends, ...ids])
  }

  /** The calls that an answer may have; null: none. */
  #calls(prompt: ChatPrompt, format: ChatFormat): HeldCalls | null {
    const { tools, choice, parallel, output } = prompt.conversation
    if (choice === 'none' || (choice === 'auto' && tools.length === 0)) return null
    const loose = choice === 'auto'
    const free = loose && output === undefined
    const options = {
      choice: loose && !free ? 'required' : choice,
      parallel,
      callsBefore: callsIn(prompt.messages),
    } as const
    const forced = forcedText(format, tools, options)
    if (!forced && !free) throw new OptionError(`toolChoice is ${JSON.stringify(choice)}, but there are no tools`)
    return forced && { forced, options, loose }
  }

  /** The prompt as the model would read it. */
  count(prompt: ChatPrompt): CountedChat {
    const text = this.#render(prompt, this.#restored(prompt), true)
    return { tokens: this.ids(prompt).length, text, format: this.#format(prompt.conversation).name }
  }

  ids(prompt: ChatPrompt): number[] {
    const { tokenizer } = this.#parts
    const { conversation } = prompt
    const variables = this.#variables(prompt)
    const messages = this.#restored(prompt)
    const format = this.#format(conversation)
    return tokenizer.encodeArranged({
      messages: messages as unknown as readonly ChatMessage[],
      tools: toolsOf(conversation),
      arrange: (marked, tools) =>
        normalise(
          marked as unknown as readonly ConversationMessage[],
          tools as Conversation['tools'],
          this.#can,
          format,
        ) as unknown as { messages: readonly ChatMessage[]; tools: readonly unknown[] | undefined },
      own: text => this.#spans(text, { ...prompt, messages }),
      ...(conversation.continues && { end: 'continued' }),
      ...(variables && { variables }),
    })
  }

  /** Remembers an answer, for when it comes back in a history. */
  answered(prompt: ChatPrompt, { text, tokenIds: ids, finishReason }: Completion): void {
    // An answer that was continued is another's in part.
    if (finishReason === 'aborted' || ids.length === 0 || prompt.conversation.continues) return
    const format = this.#format(prompt.conversation)
    const reply = readReply(text, {
      format,
      tools: toolsOf(prompt.conversation),
      prompt: this.#end(prompt, beginsFree(prompt, this.#calls(prompt, format))),
      unwraps: prompt.conversation.output === undefined,
      callsBefore: callsIn(prompt.messages),
    })
    this.#own.remember(prompt.messages, reply, { text, ids, reasoning: reply.reasoning }, prompt.salt)
  }

  get #can(): Capabilities {
    this.#capabilities ??= probe((messages, { tools, addGenerationPrompt = false, variables } = {}) =>
      this.#apply(messages, tools, { open: addGenerationPrompt }, variables),
    )
    return this.#capabilities
  }

  get #template(): string | undefined {
    const { tokenizer } = this.#parts
    return tokenizer.chatTemplate('tool_use') ?? tokenizer.chatTemplate()
  }

  #format({ format }: Conversation): ChatFormat {
    const { tokenizer, info } = this.#parts
    const hints = { template: this.#template, addedTokens: tokenizer.addedTokenTexts, modelType: info.modelType }
    return chatFormat(format ?? detectFormat(hints))
  }

  /** With the reasoning of our own answers, which clients leave out. */
  #restored(prompt: ChatPrompt): readonly ConversationMessage[] {
    const answers = this.#own.recall(prompt.messages, prompt.salt)
    const restored = prompt.messages.map((message, i) => {
      const reasoning = answers[i]?.reasoning
      return message.role === 'assistant' && !message.reasoning && reasoning ? { ...message, reasoning } : message
    })
    return prompt.conversation.continues ? this.#continuable(prompt, restored) : restored
  }

  /** Templates leave reasoning out of what an answer says: one that cannot be continued as it is has it apart. */
  #continuable(prompt: ChatPrompt, messages: readonly ConversationMessage[]): readonly ConversationMessage[] {
    try {
      this.#render(prompt, messages, true)
      return messages
    } catch (error) {
      const last = messages.at(-1)
      const isRefused = error instanceof LatentkitError && error.code === 'bad_template'
      if (!isRefused || last?.role !== 'assistant' || last.reasoning) throw error
      const options = { format: this.#format(prompt.conversation), tools: [] }
      const { reasoning, content } = readReply(textOf(last.content, 'content'), options)
      if (reasoning === '' || content === '') throw error
      return [...messages.slice(0, -1), { ...last, reasoning, content }]
    }
  }

  /** `unmarked`: whether reasoning may begin without an opening mark. */
  #end(prompt: ChatPrompt, unmarked: boolean): PromptEnd {
    const { continues } = prompt.conversation
    const last = continues ? prompt.messages.at(-1)?.content : null
    return promptEnd(this.#render(prompt, this.#restored(prompt), true), this.#format(prompt.conversation), {
      ...(unmarked && { template: this.#template, model: this.#parts.info.name }),
      continued: textOf(last, 'content'),
    })
  }

  #spans(text: string, prompt: ChatPrompt): OwnSpan[] {
    const answers = this.#own.recall(prompt.messages, prompt.salt)
    const options = { format: this.#format(prompt.conversation), tools: toolsOf(prompt.conversation) }
    const meaning = (shown: string) => JSON.stringify(meant(readReply(shown, options)))
    return ownSpans(text, {
      conversation: prompt.messages,
      answers,
      render: (messages, open) => this.#render(prompt, messages, open),
      same: (shown, own) => meaning(shown) === meaning(own),
    })
  }

  /** Those of the caller, after those that the effort means. */
  #variables({ conversation: { effort }, variables }: ChatPrompt): Variables | undefined {
    if (effort === undefined) return variables
    const thinks = effort !== 'none'
    return { reasoning_effort: effort, enable_thinking: thinks, thinking: thinks, ...variables }
  }

  /** `open`: with the opening of an answer, or ending within the message that is continued. */
  #render(prompt: ChatPrompt, messages: readonly ConversationMessage[], open: boolean): string {
    const { conversation } = prompt
    const shown = normalise(messages, toolsOf(conversation), this.#can, this.#format(conversation))
    const variables = this.#variables(prompt)
    const continues = open && conversation.continues === true && messages.length === prompt.messages.length
    return this.#apply(shown.messages, shown.tools, { open: open && !continues, continues }, variables)
  }

  #apply(
    messages: readonly TemplateMessage[],
    tools: readonly TemplateTool[] | undefined,
    { open, continues = false }: { readonly open: boolean; readonly continues?: boolean },
    variables: Variables | undefined,
  ): string {
    return this.#parts.tokenizer.applyChatTemplate(messages as readonly ChatMessage[], {
      addGenerationPrompt: open,
      ...(continues && { continueFinalMessage: true }),
      ...(tools && { tools }),
      ...(variables && { variables }),
    })
  }
}

/** What a grammar holds from its beginning thinks only after an opening mark. */
function beginsFree({ conversation }: ChatPrompt, calls: HeldCalls | null): boolean {
  return calls ? calls.forced.free : conversation.output === undefined
}

/** With 'none' the tools are not even shown. */
function toolsOf({ tools, choice }: Conversation): Conversation['tools'] {
  return choice === 'none' ? [] : tools
}

function callsIn(messages: readonly ConversationMessage[]): number {
  return messages.reduce((n, message) => n + (message.role === 'assistant' ? (message.toolCalls?.length ?? 0) : 0), 0)
}

/** Of an answer, what counts: ids of calls are given anew. */
function meant({ reasoning, content, toolCalls }: ReturnType<typeof readReply>): unknown {
  return [reasoning, content, toolCalls.map(({ name, arguments: given }) => [name, given])]
}
