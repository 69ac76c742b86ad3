/**
 * Records with three fields, each of which may be asked for by any other: "a3 b7 c1 ." and later "b7 a? a3 .". Whatever is asked, all fields are needed to
 * find a record, and all to answer: keys and values have the same content, which a latent holds once and separate keys and values hold twice.
 */
import { some } from '../ladder/random.mjs'

const FIELDS = ['a', 'b', 'c']
const VALUES = 10
/** Records of a text, and questions behind them. */
const [RECORDS, ASKED] = [6, 6]

export const WORDS = ['.', ...FIELDS.map(field => `${field}?`), ...FIELDS.flatMap(field => values(field))]
const ID = new Map(WORDS.map((word, id) => [word, id]))

function values(field) {
  return Array.from({ length: VALUES }, (_, i) => `${field}${i}`)
}

/** Ids of a text; `answers`: where the words are that can be found. */
export function text(next) {
  const columns = FIELDS.map(field => some(values(field), RECORDS, next))
  const words = Array.from({ length: RECORDS }, (_, r) => [...columns.map(column => column[r]), '.']).flat()
  const answers = []
  for (let i = 0; i < ASKED; i++) {
    const [record, [given, wanted]] = [next(RECORDS), some(FIELDS.keys(), 2, next)]
    words.push(columns[given][record], `${FIELDS[wanted]}?`)
    answers.push(words.length)
    words.push(columns[wanted][record], '.')
  }
  return { ids: words.map(word => ID.get(word)), answers }
}
