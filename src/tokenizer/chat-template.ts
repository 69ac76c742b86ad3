import { OptionError } from '../errors.ts'
import { describe, messageOf, TemplateError } from './errors.ts'
import { type Program, parseTemplate, runTemplate } from './jinja-bounds.ts'
import { templateGlobals } from './jinja-globals.ts'
import { isObject } from './tokenizer-json.ts'

/** One message of a conversation. Keys beyond these (tool_calls, name …) reach the template as they are. */
export interface ChatMessage {
  readonly role: string
  /** Null, as in a message that only calls tools, reaches the template as null. */
  readonly content?: string | null | readonly unknown[]
  readonly [key: string]: unknown
}

export interface ChatTemplateOptions {
  /** Tool definitions in OpenAI's form. Default: none. */
  readonly tools?: readonly unknown[]
  /** End with the header after which the assistant speaks. Default false. */
  readonly addGenerationPrompt?: boolean
  /** Which template, where there are several. Default 'tool_use' when there is one and tools are given, else 'default'. */
  readonly template?: string
  /** The time that `strftime_now` tells. Default: now. */
  readonly now?: Date
  /** Further variables, e.g. `{ enable_thinking: false }`. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/** The chat templates of one tokenizer: parsed at first use, since most programs render at most one. */
export class ChatTemplates {
  readonly #sources: ReadonlyMap<string, string>
  readonly #programs = new Map<string, Program>()
  readonly #specialTokens: Readonly<Record<string, unknown>>

  /** `specialTokens` are the template's `bos_token` and so on; those that do not exist are left out. */
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

  /** The text of a conversation. Throws TemplateError; with `raised` when the template itself refuses. */
  render(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    checkMessages(messages)
    const name = options.template ?? (options.tools && this.#sources.has('tool_use') ? 'tool_use' : 'default')
    const source = this.#sources.get(name)
    if (source === undefined) throw this.#missing(name)
    try {
      let program = this.#programs.get(name)
      if (program === undefined) {
        program = parseTemplate(source)
        this.#programs.set(name, program)
      }
      return runTemplate(program, {
        ...templateGlobals(options.now ?? new Date()),
        ...this.#specialTokens,
        ...(plain(options.variables ?? {}) as Record<string, unknown>),
        messages: plain(messages),
        tools: plain(options.tools ?? null),
        documents: plain(options.variables?.documents ?? null),
        add_generation_prompt: options.addGenerationPrompt ?? false,
      }).text
    } catch (error) {
      if (error instanceof TemplateError) throw error
      throw new TemplateError(`The chat template "${name}" cannot be rendered: ${reason(error)}`, { cause: error })
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
  }
}

/** As JSON would carry it: a key whose value is undefined is not there. Null stays: templates ask for it. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]))
}

/** What the engine throws has no sentence for a stack that ran out. */
function reason(error: unknown): string {
  return error instanceof RangeError ? 'it nests or grows beyond all bounds' : messageOf(error)
}
