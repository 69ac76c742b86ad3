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
import { findReasoningMarks } from '../load/reasoning-marks.ts'
import type { Conversation, CountedChat } from '../types/chat.ts'
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
    const variables = this.#variables(prompt)
    const end = this.#end(prompt)
    const unthinking = prompt.conversation.effort === 'none' && end === 'open' && findReasoningMarks(tokenizer) !== null
    return {
      format: format.name,
      prompt: end,
      forced: this.#forced(prompt.conversation, format),
      ...(variables && { variables }),
      ...(unthinking && { thinks: false }),
      ends: defaults.eosTokenIds.map(id => tokenizer.decode([id])).filter(end => end !== ''),
    }
  }

  /** What the answer is held to after its reasoning, which stays free. Throws SchemaError, naming tool and keyword. */
  #forced({ tools, choice, parallel, output }: Conversation, format: ChatFormat): GrammarSource | null {
    if (choice === 'none' || (choice === 'auto' && (tools.length === 0 || output === undefined))) return output ?? null
    const forced = forcedText(format, tools, { choice: choice === 'auto' ? 'required' : choice, parallel })
    if (!forced) throw new OptionError(`toolChoice is ${JSON.stringify(choice)}, but there are no tools`)
    const { tokenizer } = this.#parts
    const none = { begin: '', end: '' }
    return forcedGrammar(
      { ...forced, reasoning: none },
      {
        split: text => tokenizer.splitAtSpecial(text),
        ...(choice === 'auto' && output && { otherwise: output }),
      },
    )
  }

  /** The prompt as the model would read it. */
  count(prompt: ChatPrompt): CountedChat {
    const text = this.#render(prompt, this.#restored(prompt.messages), true)
    const variables = this.#variables(prompt)
    return { tokens: this.ids({ ...prompt, variables }).length, text, format: this.#format(prompt.conversation).name }
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
      ...(conversation.continues && { continues: true }),
      ...(variables && { variables }),
    })
  }

  /** Remembers an answer, for when it comes back in a history. */
  answered(prompt: ChatPrompt, { text, tokenIds: ids, finishReason }: Completion): void {
    // An answer that was continued is another's in part.
    if (finishReason === 'aborted' || ids.length === 0 || prompt.conversation.continues) return
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
      this.#apply(messages, tools, { open: addGenerationPrompt }, variables),
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
