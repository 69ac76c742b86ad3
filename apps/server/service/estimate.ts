/** Characters of a token, in the mean. */
const CHARACTERS = 4

/** Tokens of a text before it is cut into them: for the queue's bound. */
export function estimatedTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS)
}
