/** Texts that a contrary model writes: it may draw any token that the mask allows. */
import type { Grammar, GrammarLibrary } from '../../src/grammar/matcher.ts'

export type Draw = 'uniform' | 'blanks' | 'quotes' | 'long' | 'digits'
export const DRAWS: readonly Draw[] = ['uniform', 'blanks', 'quotes', 'long', 'digits']

export interface DrawnText {
  readonly text: string
  readonly ids: readonly number[]
  readonly finished: boolean
  readonly tokens: number
}

interface Tokens {
  readonly library: GrammarLibrary
  readonly end: number
  readonly texts: readonly string[]
}

/** Texts of all tokens. */
export const tokenTexts = (tokenizer: { vocabSize: number; tokenBytes(id: number): Uint8Array }): string[] =>
  Array.from({ length: tokenizer.vocabSize }, (_, id) => Buffer.from(tokenizer.tokenBytes(id)).toString('latin1'))

const SCORES: Readonly<Record<Draw, (text: string) => number>> = {
  uniform: () => 0,
  blanks: text => (/^[\s]+$/.test(text) ? 3 : /\s/.test(text) ? 1 : 0),
  quotes: text => (/["\\]/.test(text) ? 2 : 0),
  long: text => Math.min(text.length, 12),
  digits: text => (/^[-+.eE\d]+$/.test(text) ? 2 : 0),
}
/** What ends a text soon. */
const closing = (text: string): number => {
  if (/^[\]}]/.test(text)) return 9
  if (/^"/.test(text)) return 8 - Math.min(text.length, 4)
  return 3 - Math.min(text.length, 3)
}

/** Draws until the text ends; after `free` tokens, it is brought to an end. */
export function drawText(
  { library, end, texts }: Tokens,
  grammar: Grammar,
  random: () => number,
  draw: Draw,
  free = 60,
  most = 600,
): DrawnText {
  const matcher = grammar.matcher()
  const mask = new Uint32Array(library.maskWords)
  const ids: number[] = []
  let finished = false
  try {
    while (ids.length < most) {
      if (matcher.stopped) {
        finished = true
        break
      }
      matcher.mask(mask)
      const close = ids.length >= free
      if ((((mask[end >>> 5] as number) >>> (end & 31)) & 1) === 1 && (close || random() < 0.2)) {
        finished = true
        break
      }
      const score = close ? closing : SCORES[draw]
      const id = choose(mask, end, texts, random, score)
      if (id < 0) throw new Error(`the mask is empty after ${ids.map(id => texts[id]).join('')}`)
      if (matcher.accept([id]) !== 1) throw new Error(`the mask allows ${id}, the matcher does not`)
      ids.push(id)
    }
  } finally {
    matcher.dispose()
  }
  return {
    text: Buffer.from(ids.map(id => texts[id]).join(''), 'latin1').toString('utf8'),
    ids,
    finished,
    tokens: ids.length,
  }
}

/** One of the best half of the time, else any. */
function choose(
  mask: Uint32Array,
  end: number,
  texts: readonly string[],
  random: () => number,
  score: (text: string) => number,
): number {
  const greedy = random() < 0.7
  let best = Number.NEGATIVE_INFINITY
  let chosen = -1
  let met = 0
  for (let word = 0; word < mask.length; word++) {
    for (let bits = mask[word] as number; bits !== 0; bits &= bits - 1) {
      const id = word * 32 + (31 - Math.clz32(bits & -bits))
      if (id === end) continue
      const value = greedy ? score(texts[id] as string) : 0
      if (value < best) continue
      met = value > best ? 1 : met + 1
      best = value
      if (random() * met < 1) chosen = id
    }
  }
  return chosen
}
