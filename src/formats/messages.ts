import { OptionError } from '../errors.ts'

/** A text, or parts of one. Parts other than `text` (images, audio …) are refused by name. */
export type MessageText = string | readonly TextPart[]

/** A part of a message's content. */
export interface TextPart {
  /** Only `text` is supported. */
  readonly type: 'text'
  /** The text; parts are joined without anything between them. */
  readonly text: string
}

/** A call of a tool by the model. */
export interface ToolCall {
  /** Names the call in the tool's answer. Kimi's own form is `functions.NAME:IDX`. */
  readonly id: string
  /** The tool's name. */
  readonly name: string
  /** The arguments by name. */
  readonly arguments: Readonly<Record<string, unknown>>
}

/** Instructions to the model; `developer` is treated as `system`. */
export interface SystemMessage {
  /** Either word means the same. */
  readonly role: 'system' | 'developer'
  /** The instructions. */
  readonly content: MessageText
}

/** What the user says. */
export interface UserMessage {
  /** The author. */
  readonly role: 'user'
  /** The text. */
  readonly content: MessageText
}

/** An answer of the model. */
export interface AssistantMessage {
  /** The author. */
  readonly role: 'assistant'
  /** The text; null or absent in a message that only calls tools. */
  readonly content?: MessageText | null
  /** The reasoning before the answer, where the model shows it. */
  readonly reasoning?: string
  /** Calls of tools, in the order in which the model wrote them. */
  readonly toolCalls?: readonly ToolCall[]
}

/** The result of one call. */
export interface ToolMessage {
  /** The author. */
  readonly role: 'tool'
  /** `id` of the call that this answers. */
  readonly toolCallId: string
  /** The result as text, often JSON. */
  readonly content: MessageText
}

/** One message of a conversation with tools. */
export type ConversationMessage = SystemMessage | UserMessage | AssistantMessage | ToolMessage

/** A tool that the model may call. */
export interface ToolDescription {
  /** Letters, digits, `_`, `-` and `.`. */
  readonly name: string
  /** What it does, for the model. */
  readonly description?: string
  /** JSON schema of the arguments, an object. Default: no arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** Which tools the model calls: as it likes, at least one, none, or the named one. */
export type ToolChoice =
  | 'auto'
  | 'required'
  | 'none'
  | {
      /** The tool's. */
      readonly name: string
    }

/** The text of a message; throws OptionError for parts that are not text. `where` names the content in the error. */
export function textOf(content: MessageText | null | undefined, where: string): string {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw new OptionError(`${where} is of another kind; expected a text or a list of parts`)
  return content.map((part: unknown, i) => partText(part, `${where}[${i}]`)).join('')
}

function partText(part: unknown, where: string): string {
  const { type, text } = (typeof part === 'object' && part !== null ? part : {}) as Record<string, unknown>
  if (type !== undefined && type !== 'text') {
    throw new OptionError(
      `${where} is a part of type ${JSON.stringify(type)}; latentkit reads text only: give parts {type: "text", text}`,
    )
  }
  if (typeof text !== 'string') throw new OptionError(`${where} has no text; expected {type: "text", text}`)
  return text
}
