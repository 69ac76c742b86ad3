/** Texts to the tokens that a model reads, or an error that says which text is wrong and how. */
import { OptionError } from '../errors.ts'
import type { WholeText } from '../model/whole-texts.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import type { EmbeddingSettings } from './settings.ts'

export type TextTokenizer = Pick<Tokenizer, 'encode' | 'around'>

export interface TokenLimits extends Pick<EmbeddingSettings, 'maxTokens' | 'limitedBy'> {
  /** A text that is too long is cut at its end, before the tokens that close it; else it is an error. */
  readonly truncate: boolean
  readonly vocabSize: number
}

export interface ReadyText extends WholeText {
  readonly tokens: readonly number[]
  readonly truncated: boolean
}

/** `name`: the text in messages (`texts[3]`). `prompt` is put before a text; token ids are taken as they are. */
export function textTokens(
  tokenizer: TextTokenizer,
  text: string | readonly number[],
  name: string,
  prompt: string,
  limits: TokenLimits,
): ReadyText {
  if (typeof text !== 'string') return checkedIds(text, name, limits)
  if (text === '') throw empty(name, 'empty')
  // A control token that is written out in a document is a text like others.
  const ids = tokenizer.encode(prompt + text, { addSpecialTokens: false, parseSpecial: false })
  if (ids.length === 0) throw empty(name, 'without a token')
  const { ids: tokens } = tokenizer.around(ids)
  if (tokens.length <= limits.maxTokens) return { tokens, truncated: false }
  if (!limits.truncate) throw tooLong(name, tokens.length, limits)
  return { tokens: tokenizer.around(cut(ids, tokens.length, name, limits)).ids, truncated: true }
}

/** A pair as a reranker reads it. The document alone is cut. */
export function pairTokens(
  tokenizer: TextTokenizer,
  query: string,
  document: string,
  name: string,
  limits: TokenLimits,
): ReadyText {
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false, parseSpecial: false })
  if (query === '') throw empty('query', 'empty')
  if (document === '') throw empty(name, 'empty')
  const [first, second] = [encode(query), encode(document)]
  const pair = tokenizer.around(first, second)
  if (pair.ids.length <= limits.maxTokens) return { tokens: pair.ids, types: pair.types, truncated: false }
  if (!limits.truncate) throw tooLong(`${name} with the query`, pair.ids.length, limits)
  const { ids, types } = tokenizer.around(first, cut(second, pair.ids.length, 'query', limits))
  return { tokens: ids, types, truncated: true }
}

/** The ids without those at their end that are too many; `tokens`: what they are with all that is put around them. */
function cut(ids: readonly number[], tokens: number, name: string, { maxTokens }: TokenLimits): readonly number[] {
  const left = ids.length - (tokens - maxTokens)
  if (left > 0) return ids.slice(0, left)
  throw new OptionError(`${name} leaves no room among the ${maxTokens} tokens that this model reads`)
}

function checkedIds(ids: readonly number[], name: string, limits: TokenLimits): ReadyText {
  if (ids.length === 0) throw empty(name, 'an empty list')
  const wrong = ids.findIndex(id => id >= limits.vocabSize)
  if (wrong >= 0) {
    throw new OptionError(`${name}[${wrong}] is ${ids[wrong]}; expected a token id below ${limits.vocabSize}`)
  }
  if (ids.length <= limits.maxTokens) return { tokens: ids, truncated: false }
  if (!limits.truncate) throw tooLong(name, ids.length, limits)
  return { tokens: ids.slice(0, limits.maxTokens), truncated: true }
}

function empty(name: string, what: string): OptionError {
  return new OptionError(`${name} is ${what}; expected a text of at least one token. Leave it out`)
}

function tooLong(name: string, tokens: number, { maxTokens, limitedBy }: TokenLimits): OptionError {
  return new OptionError(
    `${name} has ${tokens} tokens; this model reads at most ${maxTokens} (${limitedBy}). Shorten or split it, or set truncate to cut its end`,
  )
}
