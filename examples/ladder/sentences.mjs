/**
 * The task of the rungs that continue a text: who does what. "ann sings . bob swims . carl reads . so bob swims . so ann sings . so carl reads ." What was
 * said has to be found again, however long ago it was said. Word by word.
 */
import { some } from './random.mjs'

const NAMES = 'ann bob carl dora emma fred gina hans'.split(' ')
const VERBS = 'sings swims reads runs sleeps cooks paints dances'.split(' ')

/** Words by id. */
export const WORDS = ['.', 'so', ...NAMES, ...VERBS]
const ID = new Map(WORDS.map((word, id) => [word, id]))

/** A text of so many facts, and of so many of them again, in another order; `answers`: where the words are that can be found. */
export function text(next, facts, again) {
  const [names, verbs] = [some(NAMES, facts, next), some(VERBS, facts, next)]
  const words = names.flatMap((name, i) => [name, verbs[i], '.'])
  const answers = []
  for (const i of some(names.keys(), again, next)) {
    words.push('so', names[i])
    answers.push(words.length)
    words.push(verbs[i], '.')
  }
  return { ids: words.map(word => ID.get(word)), answers }
}

const ANSWER = 4

/** Texts one after the other, and after each word the one that follows it; -1 after the last. */
export function batchOf(texts) {
  return {
    ids: texts.flatMap(({ ids }) => ids),
    lengths: texts.map(({ ids }) => ids.length),
    targets: texts.flatMap(({ ids }) => [...ids.slice(1), -1]),
    /** How often each counts: answers more, since most other words can only be guessed. */
    weights: texts.flatMap(({ ids, answers }) => ids.map((_, i) => (answers.includes(i + 1) ? ANSWER : 1))),
  }
}
