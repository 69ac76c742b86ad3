/** What the engine's methods are given beside options, read as options are: checked, copied, refused by name. */
import { OptionError } from '../../errors.ts'
import { anyText, list, text, whole } from '../../options/kinds.ts'
import { plainData, readable } from '../../options/plain-data.ts'
import { readArgument, readOptions } from '../../options/read-options.ts'
import { show } from '../../options/show.ts'
import type { InfillText, Message, Prompt } from './options/input.ts'
import { INFILL_TEXT } from './options/input.ts'

/** More than any context holds. */
const MAX_IDS = 2 ** 26

/** A text, token ids, or the messages of a conversation. */
export function readPrompt(prompt: unknown): Prompt {
  return readable('prompt', () => {
    if (typeof prompt === 'string') return prompt
    if (typeof prompt === 'object' && prompt !== null && 'tokenIds' in prompt) {
      return { tokenIds: readTokenIds(prompt.tokenIds, 'prompt.tokenIds') }
    }
    if (!Array.isArray(prompt)) {
      throw new OptionError(`prompt is ${show(prompt)}; expected a text, { tokenIds } or a list of messages`)
    }
    if (prompt.length === 0) throw new OptionError('messages is an empty list; expected at least one message')
    return readMessages(prompt)
  })
}

/** The texts around a gap. */
export function readInfill(gap: unknown): InfillText {
  const { prefix, suffix } = readOptions<Partial<InfillText>>(INFILL_TEXT, 'infill', gap)
  if (prefix !== undefined && suffix !== undefined) return { prefix, suffix }
  throw new OptionError(`infill has no ${prefix === undefined ? 'prefix' : 'suffix'}; expected { prefix, suffix }`)
}

/** A list of plain data; what a message must have is for the chat template to say. */
export function readMessages(messages: unknown): readonly Message[] {
  return readable('messages', () => {
    if (!Array.isArray(messages)) throw new OptionError(`messages is ${show(messages)}; expected a list of messages`)
    return plainData(messages, 'messages') as Message[]
  })
}

export function readText(value: unknown, name: string): string {
  return readArgument(anyText, name, value)
}

/** A file, a folder or a model. */
export function readName(value: unknown, name: string): string {
  return readArgument(text, name, value)
}

export function readCount(value: unknown, name: string, least: number, most?: number): number {
  return readArgument(whole(least, most), name, value)
}

/** Most texts of one call. */
const MAX_TEXTS = 2 ** 20

/** One text, its token ids, or a list of either. */
export function readTexts(texts: unknown): readonly (string | readonly number[])[] {
  return readable('texts', () => {
    if (typeof texts === 'string') return [texts]
    if (ArrayBuffer.isView(texts)) return [readTokenIds(texts, 'texts')]
    if (!Array.isArray(texts)) throw new OptionError(`texts is ${show(texts)}; expected a text or a list of texts`)
    const { length } = texts
    if (length > MAX_TEXTS) throw new OptionError(`texts has ${length} entries; expected at most ${MAX_TEXTS}`)
    if (typeof texts[0] === 'number') return [readTokenIds(texts, 'texts')]
    return Array.from({ length }, (_, i) => {
      const text: unknown = texts[i]
      if (typeof text === 'string') return text
      if (Array.isArray(text) || ArrayBuffer.isView(text)) return readTokenIds(text, `texts[${i}]`)
      throw new OptionError(`texts[${i}] is ${show(text)}; expected a text, or a list of token ids`)
    })
  })
}

/** A list of texts. */
export function readTextList(value: unknown, name: string): readonly string[] {
  return readArgument(list(anyText, 'texts'), name, value)
}

/** Of a list or an array of numbers. */
export function readTokenIds(ids: unknown, name = 'tokenIds'): number[] {
  return readable(name, () => {
    const list = Array.isArray(ids) || (ArrayBuffer.isView(ids) && !(ids instanceof DataView)) ? ids : null
    if (!list) throw new OptionError(`${name} is ${show(ids)}; expected a list of token ids`)
    const { length } = list as ArrayLike<unknown>
    if (length > MAX_IDS) throw new OptionError(`${name} has ${length} entries; expected at most ${MAX_IDS}`)
    return Array.from({ length }, (_, i) => {
      const id = (list as ArrayLike<unknown>)[i]
      if (Number.isSafeInteger(id) && (id as number) >= 0) return id as number
      throw new OptionError(`${name}[${i}] is ${show(id)}; expected a token id: a whole number, 0 or more`)
    })
  })
}
