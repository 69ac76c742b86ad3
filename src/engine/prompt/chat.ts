import { OptionError } from '../../errors.ts'
import {
  type Capabilities,
  type ChatFormat,
  type ConversationMessage,
  chatFormat,
  detectFormat,
  type ForcedText,
  forcedAnswer,
  forcedText,
  looseParameters,
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
} from '../../formats/index.ts'
import { SchemaError } from '../../grammar/errors.ts'
import { forcedGrammar } from '../../grammar/forced-grammar.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import { areReadAtOnce, readSchema } from '../../grammar/schema/grammar.ts'
import { type HeldReader, readerOf, schemasOf } from '../../grammar/tool-schemas.ts'
import type { ChatMessage } from '../../tokenizer/chat-template.ts'
import type { Parts } from '../load/load-parts.ts'
import type { Conversation, CountedChat } from '../types/chat.ts'
import type { PreparedChat } from '../types/protocol.ts'
import type { Completion } from '../types/results.ts'
import type { ChatPrompt, Variables } from './chat-prompt.ts'

/** Conversations with tools: from messages to ids, and from answers back to what is remembered of them. */
export class HostChat {
  readonly #parts: Pick<Parts, 'tokenizer' | 'info' | 'defaults' | 'masks'>
  /** Answers of ours by salt: a conversation's own answers are nobody else's. The last used last. */
  readonly #own = new OwnAnswers()
  /** Grammars of calls by what they are made of; the last used last. */
  readonly #grammars = new Map<string, GrammarSource>()
  #capabilities: Capabilities | null = null

  constructor(parts: Pick<Parts, 'tokenizer' | 'info' | 'defaults' | 'masks'>) {
    this.#parts = parts
  }

  /** What the reader of the answer needs. Throws what rendering throws, OptionError, SchemaError. */
  async prepare(prompt: ChatPrompt): Promise<PreparedChat> {
    const { tokenizer, info, defaults } = this.#parts
    const format = this.#format(prompt.conversation)
    const calls = this.#calls(prompt, format)
    const forced = calls ? await this.#grammar(prompt, format, calls) : this.#output(prompt, format)
    const trigger = calls?.forced.free ? { texts: calls.forced.triggers, leads: calls.forced.leads } : undefined
    const end = this.#end(prompt, beginsFree(prompt, calls))
    const unthinking = prompt.conversation.effort === 'none' && end === 'open' && info.marksReasoning
    return {
      format: format.name,
      prompt: end,
      forced,
      ...(trigger !== undefined && { trigger }),
      ...(unthinking && { thinks: false }),
      ends: defaults.eosTokenIds.map(id => tokenizer.decode([id])).filter(end => end !== ''),
    }
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

  /**
   * What the answer is held to after its reasoning, which stays free. Throws SchemaError, naming tool and keyword. With 'auto', what
   * cannot be held of a tool that is not strict is left out: its values are any JSON.
   */
  async #grammar({ conversation }: ChatPrompt, format: ChatFormat, calls: HeldCalls): Promise<GrammarSource> {
    const { tools, output } = conversation
    // Beside a schema 'auto' is written as 'required', with another way out.
    const key = JSON.stringify([format.name, tools, calls.options, calls.loose, output])
    const source = this.#grammars.get(key) ?? (await this.#written(format, tools, calls, output))
    this.#grammars.delete(key)
    this.#grammars.set(key, source)
    for (const [oldest] of this.#grammars) if (this.#grammars.size > MOST_GRAMMARS) this.#grammars.delete(oldest)
    return source
  }

  /** What an answer without calls is held to; null: nothing. */
  #output({ conversation: { output } }: ChatPrompt, format: ChatFormat): GrammarSource | null {
    if (output === undefined || !format.channels) return output ?? null
    const split = (text: string) => this.#parts.tokenizer.splitAtSpecial(text)
    return forcedGrammar(forcedAnswer(format), { split, otherwise: output, lead: format.channels.answer })
  }

  async #written(
    format: ChatFormat,
    tools: Conversation['tools'],
    { forced: all, options, loose }: HeldCalls,
    output: GrammarSource | undefined,
  ): Promise<GrammarSource> {
    const { tokenizer } = this.#parts
    const read = await this.#reader(all, loose && output !== undefined)
    const write = (some: Conversation['tools']) => {
      const forced = forcedText(format, some, options) as ForcedText
      // The mask leaves reasoning free; messages in channels all begin alike, so that theirs is a part of the grammar.
      const reasoning = format.channels && !forced.free ? forced.reasoning : { begin: '', end: '' }
      return forcedGrammar(
        { ...forced, reasoning },
        {
          split: text => tokenizer.splitAtSpecial(text),
          triggered: forced.free,
          read,
          ...(loose && output && { otherwise: output, lead: format.channels?.answer ?? '' }),
        },
      )
    }
    try {
      return write(tools)
    } catch (error) {
      if (!(error instanceof SchemaError) || !loose) throw error
      return write(tools.map(tool => held(tool, () => write([tool]))))
    }
  }

  /** Reads the parameters of tools: in another thread where that may take long, as other texts wait for this one. */
  async #reader(forced: ForcedText, besides: boolean): Promise<HeldReader> {
    const schemas = schemasOf(forced, besides)
    const atOnce = areReadAtOnce(schemas.map(({ json }) => json))
    return atOnce ? readSchema : readerOf(schemas, await this.#parts.masks.readAll(schemas))
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
    return prompt.messages.map((message, i) => {
      const reasoning = answers[i]?.reasoning
      return message.role === 'assistant' && !message.reasoning && reasoning ? { ...message, reasoning } : message
    })
  }

  /** `unmarked`: whether reasoning may begin without an opening mark. */
  #end(prompt: ChatPrompt, unmarked: boolean): PromptEnd {
    const { reasoning } = this.#format(prompt.conversation)
    const text = this.#render(prompt, this.#restored(prompt), true)
    return promptEnd(text, reasoning, unmarked ? { template: this.#template, model: this.#parts.info.name } : {})
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

const MOST_GRAMMARS = 16

/** What of an answer with calls is held. */
interface HeldCalls {
  readonly forced: ForcedText
  readonly options: NonNullable<Parameters<typeof forcedText>[2]>
  /** Tools that are not strict may be called with any JSON, where theirs cannot be held. */
  readonly loose: boolean
}

/** What a grammar holds from its beginning thinks only after an opening mark. */
function beginsFree({ conversation }: ChatPrompt, calls: HeldCalls | null): boolean {
  return calls ? calls.forced.free : conversation.output === undefined
}

/** The tool, or one whose values are any JSON, if what it asks for cannot be held. Throws SchemaError for a strict tool. */
function held(tool: Conversation['tools'][number], write: () => void): Conversation['tools'][number] {
  try {
    write()
    return tool
  } catch (error) {
    if (!(error instanceof SchemaError) || tool.strict) throw error
    return { ...tool, parameters: looseParameters(tool) }
  }
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
