import { OptionError } from '../errors.ts'
import { TemplateError } from '../templates/errors.ts'
import { isSpace } from '../templates/values/text.ts'
import { isObject } from './tokenizer-json.ts'

/** Marks the end of the text to continue; the blank shows whether the template trims. Same tag as in transformers. */
const TAG = 'CONTINUE_FINAL_MESSAGE_TAG '

export interface Continued<Message> {
  readonly messages: readonly Message[]
  /** Cuts the rendered text after the last message's own text. */
  cut(rendered: string): string
}

/** Marks the end of the last message's content, so that the template's closing of that message can be cut off. */
export function continueFinal<Message extends { readonly content?: unknown }>(
  messages: readonly Message[],
  source: string,
): Continued<Message> {
  const last = messages.at(-1)
  if (last === undefined) throw new OptionError('continueFinalMessage is set, but there is no message to continue')
  const { text, content } = marked(last.content)
  if (!source.includes('content')) {
    throw new TemplateError('continueFinalMessage is set, but the chat template does not use the content of messages')
  }
  return {
    messages: [...messages.slice(0, -1), { ...last, content }],
    cut: rendered => cut(rendered, text),
  }
}

function marked(content: unknown): { text: string; content: unknown } {
  if (typeof content === 'string') return { text: content, content: content + TAG }
  if (Array.isArray(content)) {
    const place = content.findLastIndex(part => isObject(part) && typeof part.text === 'string')
    if (place >= 0) {
      const part = content[place] as { text: string }
      return { text: part.text, content: content.with(place, { ...part, text: part.text + TAG }) }
    }
    throw new OptionError('continueFinalMessage is set, but the last message has no part with a text to continue')
  }
  throw new OptionError('continueFinalMessage is set, but the last message has no "content" to continue')
}

function cut(rendered: string, text: string): string {
  const end = rendered.lastIndexOf(TAG.trimEnd())
  if (end < 0 || !rendered.includes(strip(text))) {
    throw new TemplateError(
      'continueFinalMessage is set, but the last message does not appear in the text as it is: the chat template leaves ' +
        'out or changes parts of it',
    )
  }
  const before = rendered.slice(0, end)
  return rendered.startsWith(TAG, end) ? before : stripEnd(before)
}

function stripEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(0, end)
}

function strip(text: string): string {
  let start = 0
  while (start < text.length && isSpace(text.charCodeAt(start))) start++
  return stripEnd(text.slice(start))
}
