import { TokenizerError } from '../errors.ts'
import { ownCopy } from '../own-copy.ts'
import { compilePreTokenizer, type PreTokenizer } from '../pre-tokenizers.ts'
import { Work } from '../work.ts'

/** GPT-2's cut of a text into words, whose bytes are written as characters. */
export const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true } as const

/** Entries of a Map, in V8. */
const MAX_WORDS = 2 ** 24 - 1

let cut: PreTokenizer | undefined

/** The words of a text. */
export function wordsOf(text: string): string[] {
  cut ??= compilePreTokenizer(BYTE_LEVEL, 'the pre-tokenizer')
  return cut([text], false, new Work(text.length))
}

/** Throws TokenizerError for more different words than can be counted. */
export function countWords(words: readonly string[], counts: Map<string, number>): void {
  for (const word of words) {
    const times = counts.get(word)
    if (times !== undefined) counts.set(word, times + 1)
    else if (counts.size < MAX_WORDS) counts.set(ownCopy(word), 1)
    else throw new TokenizerError(`The texts have more than ${MAX_WORDS} different words; train on fewer of them`)
  }
}
