/** What the cells of a task learn from: texts of its own making, or windows of a file. */
import { OptionError } from 'latentkit'
import { bytesOf } from './bytes.mjs'
import * as pairs from './pairs.mjs'
import * as records from './records.mjs'

const MADE = { records, pairs }

/**
 * `words`: how many there are; `text(next)`: one to learn from; `held(next)`: one to be examined with; `digest`: of a file. `length`: of a text, in pairs, records or bytes, and
 * `least`: of those that are learned from. Throws OptionError for a file that is not given, RangeError for one that is too short.
 */
export async function schoolOf(task, { from, text: name, length, least = length }, texts) {
  const made = MADE[from ?? task]
  if (made) {
    const { WORDS, text } = made
    const between = next => (least === length ? length : least + next(length - least + 1))
    return { words: WORDS.length, text: next => text(next, between(next)), held: next => text(next, length) }
  }
  if (texts[name] === undefined) throw new OptionError(`${task} learns a text that is not given; expected ${name}=FILE`)
  return bytesOf(texts[name], length)
}
