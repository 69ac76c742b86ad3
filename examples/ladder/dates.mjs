/**
 * The task of the rungs that read one text and write another: a date written out becomes its ISO form. "the letter is of the third of march 1998"
 * -> "1998-03-03". Letter by letter, so that inputs are long and a human can follow.
 */
const MONTHS = 'january february march april may june july august september october november december'.split(' ')
const ONES =
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth'
const DAYS = [...ONES.split(' '), 'twentieth', ...tens('twenty'), 'thirtieth', 'thirty-first']
const BEFORE = ['', 'on ', 'the letter is of ', 'my sister wrote to us on ', 'it was late in the evening and cold on ']

function tens(ten) {
  return ONES.split(' ')
    .slice(0, 9)
    .map(one => `${ten}-${one}`)
}

/** Letters by id; 0 pads a text on its left, 1 begins what is written. */
export const LETTERS = ['', '>', ...' -0123456789abcdefghijklmnopqrstuvwxyz']
const ID = new Map(LETTERS.map((letter, id) => [letter, id]))
export const WRITTEN = '1998-03-03'.length

/** Random numbers that are the same everywhere (mulberry32). */
export function random(seed) {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A date written out, and its ISO form. */
export function pair(next) {
  const [day, month, year] = [next(28), next(12), 1900 + next(130)]
  const forms = [
    `${day + 1} ${MONTHS[month]} ${year}`,
    `${MONTHS[month]} ${day + 1} ${year}`,
    `the ${DAYS[day]} of ${MONTHS[month]} ${year}`,
    `${MONTHS[month]} the ${DAYS[day]} in the year ${year}`,
  ]
  const two = n => String(n).padStart(2, '0')
  return {
    source: BEFORE[next(BEFORE.length)] + forms[next(forms.length)],
    target: `${year}-${two(month + 1)}-${two(day + 1)}`,
  }
}

/** Texts as ids, letter after letter of all of them: sources padded on the left, targets with what precedes each letter. */
export function batchOf(pairs) {
  const longest = Math.max(...pairs.map(({ source }) => source.length))
  const inOrder = texts => Array.from({ length: texts[0].length }, (_, t) => texts.map(ids => ids[t])).flat()
  const ids = text => [...text].map(letter => ID.get(letter))
  return {
    size: pairs.length,
    /** [length x size] */
    sources: inOrder(pairs.map(({ source }) => [...Array(longest - source.length).fill(0), ...ids(source)])),
    /** Letters of each source. */
    lengths: pairs.map(({ source }) => source.length),
    /** [WRITTEN x size]: what the writer has before it, and what it is to write. */
    before: inOrder(pairs.map(({ target }) => [1, ...ids(target).slice(0, -1)])),
    targets: inOrder(pairs.map(({ target }) => ids(target))),
  }
}
