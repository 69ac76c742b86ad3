import { OptionError } from '../errors.ts'
import { isBefore } from './candidates.ts'
import { expNegative } from './exp.ts'
import { argmax } from './sampler.ts'

/** A token with the logarithm of its probability in the model's own distribution. */
export interface TokenLogprob {
  /** Token id. */
  readonly id: number
  /** Natural logarithm of the probability; -Infinity for a masked token. */
  readonly logprob: number
}

/** The drawn token, and the likeliest ones beside it. */
export interface Logprobs extends TokenLogprob {
  /** The most likely tokens, best first; the chosen one only if it is among them. */
  readonly top: readonly TokenLogprob[]
}

/**
 * Log-probabilities of the model's own distribution, before temperature, penalties and filters, as in OpenAI's API.
 * `top`: how many alternatives to return. Sums are in float64.
 */
export function logprobs(logits: Float32Array, id: number, top = 0): Logprobs {
  if (!Number.isInteger(id) || id < 0 || id >= logits.length) {
    throw new OptionError(`The token is ${id}; expected an id below ${logits.length}`)
  }
  if (!Number.isInteger(top) || top < 0) throw new OptionError(`top is ${top}; expected a whole number of at least 0`)
  const highest = logits[argmax(logits)]!
  let sum = 0
  for (let i = 0; i < logits.length; i++) sum += expNegative(logits[i]! - highest)
  const logSum = highest + Math.log(sum)
  const entry = (token: number): TokenLogprob => ({ id: token, logprob: logits[token]! - logSum })
  return { ...entry(id), top: best(logits, Math.min(top, logits.length)).map(entry) }
}

/** Inserts into a short sorted list: nearly every token loses against the list's last. */
function best(logits: Float32Array, count: number): number[] {
  const ids: number[] = []
  if (count === 0) return ids
  for (let id = 0; id < logits.length; id++) {
    if (ids.length === count) {
      if (!isBefore(id, ids[count - 1]!, logits)) continue
      ids.pop()
    }
    let place = ids.length
    while (place > 0 && isBefore(id, ids[place - 1]!, logits)) place--
    ids.splice(place, 0, id)
  }
  return ids
}
