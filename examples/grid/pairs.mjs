/**
 * Values under keys of two words: "x2 y1 v5 ." and later the same again, in another order. Each half of a key stands in several of them, so that a head that
 * looks for one half finds several values: both have to be compared at once, in what one head sees of the cache.
 */
import { some } from '../ladder/random.mjs'

const [HALVES, VALUES] = [4, 8]

const named = (name, count) => Array.from({ length: count }, (_, i) => `${name}${i}`)
export const WORDS = ['.', ...named('x', HALVES), ...named('y', HALVES), ...named('v', VALUES)]
const ID = new Map(WORDS.map((word, id) => [word, id]))

/** Ids of a text of so many pairs, of 16 that there are; `answers`: where the words are that can be found. */
export function text(next, pairs) {
  const keys = some(Array(HALVES ** 2).keys(), pairs, next)
  // Of more pairs than values several have the same.
  const all = Array.from({ length: Math.max(pairs, VALUES) }, (_, i) => `v${i % VALUES}`)
  const values = some(all, pairs, next)
  const line = i => [`x${Math.floor(keys[i] / HALVES)}`, `y${keys[i] % HALVES}`, values[i], '.']
  const words = values.flatMap((_, i) => line(i))
  const answers = []
  for (const i of some(values.keys(), pairs, next)) {
    answers.push(words.length + 2)
    words.push(...line(i))
  }
  return { ids: words.map(word => ID.get(word)), answers }
}
