import { OptionError } from '../../errors.ts'
import {
  type Capabilities,
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
} from '../../formats/index.ts'
import { forcedGrammar } from '../../grammar/forced-grammar.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import type { ChatMessage } from '../../tokenizer/chat-template.ts'
import type { Parts } from '../load/load-parts.ts'
import type { Conversation } from '../types/chat.ts'
import type { PreparedChat } from '../types/protocol.ts'
import type { Completion } from '../types/results.ts'
import type { ChatPrompt, Variables } from './chat-prompt.ts'

/** Conversations with tools: from messages to ids, and from answers back to what is remembered of them. */
export class HostChat {
  readonly #parts: Pick<Parts, 'tokenizer' | 'info' | 'defaults'>
  readonly #own = new OwnAnswers()
  #capabilities: Capabilities | null = null

  constructor(parts: Pick<Parts, 'tokenizer' | 'info' | 'defaults'>) {
    this.#parts = parts
  }

  /** What the reader of the answer needs. Throws what rendering throws, OptionError. */
  prepare(prompt: ChatPrompt): PreparedChat {
    const { tokenizer, defaults } = this.#parts
    const format = this.#format(prompt.conversation)
    const text = this.#render(prompt, this.#restored(prompt.messages), true)
    return {
      format: format.name,
      prompt: promptEnd(text, format.reasoning),
      forced: this.#forced(prompt.conversation, format),
      ends: defaults.eosTokenIds.map(id => tokenizer.decode([id])).filter(end => end !== ''),
    }
  }

  /** What the answer is held to after its reasoning, which stays free. Throws SchemaError, naming tool and keyword. */
  #forced({ tools, choice, parallel }: Conversation, format: ChatFormat): GrammarSource | null {
    if (choice === 'auto' || choice === 'none') return null
    const forced = forcedText(format, tools, { choice, parallel })
    if (!forced) throw new OptionError(`toolChoice is ${JSON.stringify(choice)}, but there are no tools`)
    const { tokenizer } = this.#parts
    const none = { begin: '', end: '' }
    return forcedGrammar({ ...forced, reasoning: none }, { split: text => tokenizer.splitAtSpecial(text) })
  }

  ids(prompt: ChatPrompt): number[] {
    const { tokenizer } = this.#parts
    const { conversation, variables } = prompt
    const messages = this.#restored(prompt.messages)
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
      ...(variables && { variables }),
    })
  }

  /** Remembers an answer, for when it comes back in a history. */
  answered(prompt: ChatPrompt, { text, tokenIds: ids, finishReason }: Completion): void {
    if (finishReason === 'aborted' || ids.length === 0) return
    const end = this.#end(prompt)
    const reply = readReply(text, {
      format: this.#format(prompt.conversation),
      tools: toolsOf(prompt.conversation),
      prompt: end,
      callsBefore: callsIn(prompt.messages),
    })
    this.#own.remember(prompt.messages, reply, { text, ids, reasoning: reply.reasoning })
  }

  get #can(): Capabilities {
    this.#capabilities ??= probe((messages, { tools, addGenerationPrompt = false, variables } = {}) =>
      this.#apply(messages, tools, addGenerationPrompt, variables),
    )
    return this.#capabilities
  }

  #format({ format }: Conversation): ChatFormat {
    const { tokenizer, info } = this.#parts
    const template = tokenizer.chatTemplate('tool_use') ?? tokenizer.chatTemplate()
    const hints = { template, addedTokens: tokenizer.addedTokenTexts, modelType: info.modelType }
    return chatFormat(format ?? detectFormat(hints))
  }

  /** With the reasoning of our own answers, which clients leave out. */
  #restored(messages: readonly ConversationMessage[]): readonly ConversationMessage[] {
    const answers = this.#own.recall(messages)
    return messages.map((message, i) => {
      const reasoning = answers[i]?.reasoning
      return message.role === 'assistant' && !message.reasoning && reasoning ? { ...message, reasoning } : message
    })
  }

  #end(prompt: ChatPrompt): PromptEnd {
    const { reasoning } = this.#format(prompt.conversation)
    return promptEnd(this.#render(prompt, this.#restored(prompt.messages), true), reasoning)
  }

  #spans(text: string, prompt: ChatPrompt): OwnSpan[] {
    const answers = this.#own.recall(prompt.messages)
    const options = { format: this.#format(prompt.conversation), tools: toolsOf(prompt.conversation) }
    const meaning = (shown: string) => JSON.stringify(meant(readReply(shown, options)))
    return ownSpans(text, {
      conversation: prompt.messages,
      answers,
      render: (messages, open) => this.#render(prompt, messages, open),
      same: (shown, own) => meaning(shown) === meaning(own),
    })
  }

  #render({ conversation, variables }: ChatPrompt, messages: readonly ConversationMessage[], open: boolean): string {
    const shown = normalise(messages, toolsOf(conversation), this.#can, this.#format(conversation))
    return this.#apply(shown.messages, shown.tools, open, variables)
  }

  #apply(
    messages: readonly TemplateMessage[],
    tools: readonly TemplateTool[] | undefined,
    addGenerationPrompt: boolean,
    variables: Variables | undefined,
  ): string {
    const given = { ...(tools && { tools }), ...(variables && { variables }) }
    return this.#parts.tokenizer.applyChatTemplate(messages as readonly ChatMessage[], {
      addGenerationPrompt,
      ...given,
    })
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
