import { OptionError } from '../errors.ts'
import { TemplateError } from '../templates/errors.ts'
import { repr } from '../templates/format/print.ts'
import { Template } from '../templates/template.ts'
import { fromJs } from '../templates/values/from-js.ts'
import { Work } from '../templates/work.ts'
import { continueFinal } from './continue-message.ts'
import { describe } from './errors.ts'
import { isObject } from './tokenizer-json.ts'

/** One message of a conversation. Other keys (tool_calls, name …) are passed to the template unchanged. */
export interface ChatMessage {
  /** The author: `system`, `user`, `assistant`, `tool` or another role of the template. */
  readonly role: string
  /**
   * A text, or parts such as `{ type: 'text', text }` for templates that accept them. Null (as in a message that only
   * calls tools) is passed on as null.
   */
  readonly content?: string | null | readonly unknown[]
  readonly [key: string]: unknown
}

/** Options of `Tokenizer.applyChatTemplate`. */
export interface ChatTemplateOptions {
  /** Tool definitions in OpenAI's form. Default: none. */
  readonly tools?: readonly unknown[]
  /** End with the header of the assistant's next message. Default false. */
  readonly addGenerationPrompt?: boolean
  /** Leave the last message open, so that the model continues it. Not with addGenerationPrompt. Default false. */
  readonly continueFinalMessage?: boolean
  /**
   * Throw an OptionError if the template prints a message's list of parts as a Python list, as templates do that accept
   * texts only. Default false; true for `encodeChat`.
   */
  readonly refusePrintedParts?: boolean
  /** Name of the template, if there are several. Default 'tool_use' if it exists and tools are given, else 'default'. */
  readonly template?: string
  /** The time for `strftime_now`. Default: now. */
  readonly now?: Date
  /** Further variables, e.g. `{ enable_thinking: false }`. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/** The chat templates of one tokenizer, parsed at first use. */
export class ChatTemplates {
  readonly #sources: ReadonlyMap<string, string>
  readonly #templates = new Map<string, Template>()
  readonly #specialTokens: Readonly<Record<string, unknown>>

  /** `specialTokens`: the variables `bos_token` and so on; absent tokens are left out. */
  constructor(sources: ReadonlyMap<string, string>, specialTokens: Readonly<Record<string, unknown>>) {
    this.#sources = sources
    this.#specialTokens = specialTokens
  }

  get names(): string[] {
    return [...this.#sources.keys()]
  }

  source(name = 'default'): string | undefined {
    return this.#sources.get(name)
  }

  /** Renders a conversation. Throws TemplateError; with `raised` if the template itself refuses. */
  render(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    checkMessages(messages)
    const { tools, variables = {}, now = new Date(), addGenerationPrompt = false, continueFinalMessage } = options
    if (addGenerationPrompt && continueFinalMessage) {
      throw new OptionError(
        'continueFinalMessage goes on with the last message and addGenerationPrompt begins another; give one of them',
      )
    }
    const name = options.template ?? (tools && this.#sources.has('tool_use') ? 'tool_use' : 'default')
    const source = this.#sources.get(name)
    if (source === undefined) throw this.#missing(name)
    const continued = continueFinalMessage ? continueFinal(messages, source) : undefined
    const given = {
      ...this.#specialTokens,
      ...variables,
      messages: continued?.messages ?? messages,
      tools: tools ?? null,
      documents: variables.documents ?? null,
      add_generation_prompt: addGenerationPrompt,
    }
    const text = this.#run(name, source, given, now)
    if (options.refusePrintedParts) checkParts(messages, text)
    return continued === undefined ? text : continued.cut(text)
  }

  #run(name: string, source: string, variables: Readonly<Record<string, unknown>>, now: Date): string {
    try {
      const template = this.#templates.get(name) ?? new Template(source)
      this.#templates.set(name, template)
      return template.render(variables, now).text
    } catch (error) {
      if (!(error instanceof TemplateError) || error.raised) throw error
      throw new TemplateError(`The chat template "${name}" cannot be rendered: ${error.message}`, { cause: error })
    }
  }

  #missing(name: string): TemplateError {
    const known = this.names.map(other => `"${other}"`).join(', ')
    return new TemplateError(
      known === ''
        ? 'This model has no chat template: give a plain text, or a chatTemplate'
        : `There is no chat template "${name}"; this model has ${known}`,
    )
  }
}

function checkMessages(messages: readonly ChatMessage[]): void {
  if (!Array.isArray(messages)) throw new OptionError(`messages is ${describe(messages)}; expected a list`)
  for (const [i, message] of messages.entries()) {
    if (!isObject(message)) throw new OptionError(`messages[${i}] is ${describe(message)}; expected {role, content}`)
    if (typeof message.role !== 'string') {
      throw new OptionError(`messages[${i}].role is ${describe(message.role)}; expected a string`)
    }
    checkContent(message.content, i)
  }
}

function checkContent(content: unknown, i: number): void {
  if (content === undefined || content === null || typeof content === 'string') return
  const where = `messages[${i}].content`
  if (!Array.isArray(content)) {
    throw new OptionError(`${where} is ${describe(content)}; expected a text, null, or a list of parts`)
  }
  if (content.length === 0) throw new OptionError(`${where} is an empty list; give a text, or parts like {type, text}`)
  for (const [k, part] of content.entries()) {
    if (!isObject(part))
      throw new OptionError(`${where}[${k}] is ${describe(part)}; expected an object like {type, text}`)
  }
}

/** Throws if a message's list of parts appears in the text as Python prints a list. */
function checkParts(messages: readonly ChatMessage[], text: string): void {
  for (const [i, { content }] of messages.entries()) {
    if (!Array.isArray(content) || !text.includes(repr(new Work(), fromJs(content, 'content')))) continue
    throw new OptionError(
      `messages[${i}].content is a list of parts, but the chat template takes texts only: it would print the list; give a text`,
    )
  }
}
