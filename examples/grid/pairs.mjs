/**
 * Values under keys of two words: "x2 y1 v5 ." and later the same again, in another order. Each half of a key stands in several of them, so that a head that
 * looks for one half finds several values: both have to be compared at once, in what one head sees of the cache.
 */
import { some } from '../ladder/random.mjs'

const [HALVES, VALUES] = [4, 8]
/** Pairs of a text, of 16 that there are. */
const PAIRS = 8

const named = (name, count) => Array.from({ length: count }, (_, i) => `${name}${i}`)
export const WORDS = ['.', ...named('x', HALVES), ...named('y', HALVES), ...named('v', VALUES)]
const ID = new Map(WORDS.map((word, id) => [word, id]))

/** Ids of a text; `answers`: where the words are that can be found. */
export function text(next) {
  const keys = some(Array(HALVES ** 2).keys(), PAIRS, next)
  const values = some(named('v', VALUES), PAIRS, next)
  const line = i => [`x${Math.floor(keys[i] / HALVES)}`, `y${keys[i] % HALVES}`, values[i], '.']
  const words = values.flatMap((_, i) => line(i))
  const answers = []
  for (const i of some(values.keys(), PAIRS, next)) {
    answers.push(words.length + 2)
    words.push(...line(i))
  }
  return { ids: words.map(word => ID.get(word)), answers }
}
