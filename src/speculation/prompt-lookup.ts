import type { Proposer } from './proposer.ts'

/** Shortest match, in tokens. A single token predicts little: every text repeats its commas. */
const MIN_MATCH = 2
/** Matches are compared up to this length. */
const MAX_MATCH = 8

/**
 * Proposes the tokens that followed an earlier occurrence of the last tokens (prompt lookup, Saxena 2023). For texts that
 * repeat themselves or their prompt, such as summaries, corrections, code and lists. Costs no computation by a model.
 */
export const promptLookup: Proposer = {
  most: 15,
  costless: true,
  propose: async (tokens, count) => continuation(tokens, count),
}

/** Continues the longest match; ties: the latest. */
function continuation(tokens: readonly number[], count: number): number[] {
  const end = tokens.length - 1
  let best = -1
  let longest = MIN_MATCH - 1
  for (let at = end - 1; at >= MIN_MATCH - 1 && longest < MAX_MATCH; at--) {
    const length = matchLength(tokens, at, end)
    if (length > longest) {
      best = at
      longest = length
    }
  }
  const found: number[] = []
  if (best < 0) return found
  // A continuation that reaches the text's end is periodic: continue with the proposed tokens themselves.
  for (let next = best + 1; found.length < count; next++) {
    found.push((next < tokens.length ? tokens[next] : found[next - tokens.length]) as number)
  }
  return found
}

/** Number of equal tokens before and including `at` and `end`. */
function matchLength(tokens: readonly number[], at: number, end: number): number {
  let length = 0
  while (length < MAX_MATCH && length <= at && tokens[at - length] === tokens[end - length]) length++
  return length
}
