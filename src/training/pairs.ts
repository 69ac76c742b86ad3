/** Pairs of answers of which one is preferred, as documents. */
import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import type { ChatTexts } from './chat-texts.ts'
import type { Document } from './pieces.ts'
import type { TrainingText } from './training-texts.ts'

type Line = Readonly<Record<string, unknown>>

/**
 * A pair from an object with `prompt`, `chosen` and `rejected`: three texts, or messages, where the answers are the last ones, with or
 * without the prompt before them. Throws OptionError and TemplateError.
 */
export function readPair(line: Line, tokenizer: Tokenizer, chats: ChatTexts): Document {
  const { prompt, chosen, rejected, tools } = line
  if (typeof chosen === 'string' && typeof rejected === 'string' && typeof prompt === 'string') {
    const before = tokenizer.encodePrompt(prompt)
    return pairOf(before, textIds(chosen, tokenizer), before, textIds(rejected, tokenizer))
  }
  const before = prompt === undefined || prompt === null ? [] : messagesOf(prompt, 'prompt', 'user')
  const [a, b] = [chosen, rejected].map((answer, i) => {
    const messages = [...before, ...messagesOf(answer, i === 0 ? 'chosen' : 'rejected', 'assistant')]
    return chats.lastAnswer(messages, tools)
  }) as [ReturnType<ChatTexts['lastAnswer']>, ReturnType<ChatTexts['lastAnswer']>]
  return pairOf(a.prompt, a.answer, b.prompt, b.answer)
}

/** Both texts of a pair, of which the answers are asked for. */
export function textsOfPair({ tokens, pair }: Document): readonly [TrainingText, TrainingText] {
  if (!pair) throw new TypeError('textsOfPair: the document is no pair')
  const { chosen, prompts } = pair
  return [text(tokens.subarray(0, chosen), prompts[0]), text(tokens.subarray(chosen), prompts[1])]
}

function text(ids: Int32Array, prompt: number): TrainingText {
  return { tokens: ids.subarray(0, -1), targets: ids.slice(1).fill(-1, 0, prompt - 1) }
}

function pairOf(
  a: ArrayLike<number>,
  chosen: ArrayLike<number>,
  b: ArrayLike<number>,
  rejected: ArrayLike<number>,
): Document {
  if (a.length === 0 || b.length === 0)
    throw new OptionError('prompt has no tokens; an answer needs something before it')
  const parts = [a, chosen, b, rejected].map(ids => Array.from(ids))
  const tokens = Int32Array.from(parts.flat())
  return { tokens, pair: { chosen: a.length + chosen.length, prompts: [a.length, b.length] } }
}

function textIds(answer: string, tokenizer: Tokenizer): number[] {
  const ids = tokenizer.encode(answer, { addSpecialTokens: false })
  return tokenizer.eosId === undefined ? ids : [...ids, tokenizer.eosId]
}

function messagesOf(given: unknown, name: string, role: string): readonly unknown[] {
  if (typeof given === 'string') return [{ role, content: given }]
  if (Array.isArray(given)) return given
  if (typeof given === 'object' && given !== null) return [given]
  throw new OptionError(`${name} is ${show(given)}; expected a text, a message or a list of messages`)
}
