import type { Proposer } from './proposer.ts'

/** Tokens that must have occurred together. One alone says little: every text repeats its commas. */
const LEAST = 2
/** A longer match is not worth more. */
const LONGEST = 8

/**
 * What followed when the last tokens occurred before (prompt lookup, Saxena 2023): for texts that repeat what they or
 * their prompts say, such as summaries, corrections, code and lists. Costs nothing but a look at the tokens.
 */
export const promptLookup: Proposer = {
  most: 15,
  propose: async (tokens, count) => continuation(tokens, count),
}

/** The longest match counts, of equals the last. */
function continuation(tokens: readonly number[], count: number): number[] {
  const end = tokens.length - 1
  let best = -1
  let longest = LEAST - 1
  for (let at = end - 1; at >= LEAST - 1 && longest < LONGEST; at--) {
    const length = matchLength(tokens, at, end)
    if (length > longest) {
      best = at
      longest = length
    }
  }
  const found: number[] = []
  if (best < 0) return found
  // A match that reaches the end is a period: it goes on in what was found.
  for (let next = best + 1; found.length < count; next++) {
    found.push((next < tokens.length ? tokens[next] : found[next - tokens.length]) as number)
  }
  return found
}

/** How many tokens up to `at` are those up to `end`. */
function matchLength(tokens: readonly number[], at: number, end: number): number {
  let length = 0
  while (length < LONGEST && length <= at && tokens[at - length] === tokens[end - length]) length++
  return length
}
