import type { DrawnToken, TokenChance } from './events.ts'

/** JSON has no number for a forbidden token. */
const FORBIDDEN = -9999

/** OpenAI's form of a token that was drawn, which others took over. */
export function wireLogprob(token: DrawnToken) {
  return { ...wireChance(token), top_logprobs: token.top.map(wireChance) }
}

export function wireChance({ text, logprob, bytes }: TokenChance) {
  return { token: text, logprob: Number.isFinite(logprob) ? logprob : FORBIDDEN, bytes: [...bytes] }
}
