/**
 * The task of the rungs that read one text and write another: a date written out becomes its ISO form. "she wrote on the third of march 1998 and it
 * rained" -> "1998-03-03". Word by word, and numbers digit by digit.
 */
const MONTHS = 'january february march april may june july august september october november december'.split(' ')
const ONES =
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth'
const DAYS = [...ONES.split(' '), 'twentieth', ...ONES.split(' ', 8).map(one => `twenty-${one}`)]
const BEFORE = ['on', 'she wrote on', 'the ship left on', 'my sister came to us on']
const BEHIND = ['when it rained', 'while the cat slept', 'but no letter came', 'as the wind was cold']

/** Words by id; 0 pads a text on its left, 1 begins what is written. */
export const WORDS = [
  ...new Set([
    '',
    '>',
    '-',
    ' ',
    '.',
    ...'0123456789',
    ...MONTHS,
    ...DAYS,
    ...[...BEFORE, ...BEHIND, 'the of in year and'].join(' ').split(' '),
  ]),
]
const ID = new Map(WORDS.map((word, id) => [word, id]))

/** A text of so many dates, as words, and their ISO forms, which "." ends. */
export function pair(next, dates) {
  const one = list => list[next(list.length)]
  const written = Array.from({ length: dates }, () => date(one, next))
  const source = written.map(({ words }) => `${one(BEFORE)} ${words}${next(2) ? ` ${one(BEHIND)}` : ''}`).join(' and ')
  return { source: source.split(' '), target: `${written.map(({ iso }) => iso).join(' ')}.` }
}

function date(one, next) {
  const [day, month, year] = [next(28), next(12), 1900 + next(130)]
  const [number, digits] = [day + 1, year].map(n => [...String(n)].join(' '))
  const words = one([
    `${number} ${MONTHS[month]} ${digits}`,
    `${MONTHS[month]} ${number} ${digits}`,
    `the ${DAYS[day]} of ${MONTHS[month]} ${digits}`,
    `${MONTHS[month]} the ${DAYS[day]} in the year ${digits}`,
  ])
  const two = n => String(n).padStart(2, '0')
  return { words, iso: `${year}-${two(month + 1)}-${two(day + 1)}` }
}

/** Texts as ids, word after word of all of them: sources padded on the left, targets on the right. */
export function batchOf(pairs) {
  const inOrder = texts => Array.from({ length: texts[0].length }, (_, t) => texts.map(ids => ids[t])).flat()
  const most = Math.max(...pairs.map(({ source }) => source.length))
  const longest = Math.max(...pairs.map(({ target }) => target.length))
  const ids = words => [...words].map(word => ID.get(word))
  const behind = (ids, fill) => [...ids, ...Array(longest - ids.length).fill(fill)]
  return {
    size: pairs.length,
    /** [words x size] */
    sources: inOrder(pairs.map(({ source }) => [...Array(most - source.length).fill(0), ...ids(source)])),
    /** Words of each source. */
    lengths: pairs.map(({ source }) => source.length),
    /** [letters x size]: what the writer has before it, and what it is to write. */
    before: inOrder(pairs.map(({ target }) => behind([1, ...ids(target).slice(0, -1)], 0))),
    targets: inOrder(pairs.map(({ target }) => behind(ids(target), -1))),
  }
}
