/**
 * Records with two fields, each of which is asked for by the other: "a3 b7 . a1 b2 . … so b7 a3 . so a1 b2 .". Whichever is asked for, both have to be found at one place: keys and
 * values have the same content, which a latent holds once and separate keys and values hold twice.
 */
import { some } from '../ladder/random.mjs'

const VALUES = 8

export const WORDS = ['.', 'so', ...['a', 'b'].flatMap(field => values(field))]
const ID = new Map(WORDS.map((word, id) => [word, id]))

function values(field) {
  return Array.from({ length: VALUES }, (_, i) => `${field}${i}`)
}

/** Ids of a text of so many records, each of which is asked for once; `answers`: where the words are that can be found. */
export function text(next, records) {
  const [as, bs] = ['a', 'b'].map(field => some(values(field), records, next))
  const words = as.flatMap((a, i) => [a, bs[i], '.'])
  const answers = []
  for (const i of some(as.keys(), records, next)) {
    answers.push(words.length + 2)
    words.push('so', ...(next(2) ? [as[i], bs[i], '.'] : [bs[i], as[i], '.']))
  }
  return { ids: words.map(word => ID.get(word)), answers }
}
