import type { DrawnToken, TokenChance } from './events.ts'

/** JSON has no number for a forbidden token. */
const FORBIDDEN = -9999

/** OpenAI's form of a token that was drawn, which others took over. */
export function wireLogprob(token: DrawnToken) {
  return { ...chanceOf(token), top_logprobs: token.top.map(chanceOf) }
}

function chanceOf({ text, logprob, bytes }: TokenChance) {
  return { token: text, logprob: Number.isFinite(logprob) ? logprob : FORBIDDEN, bytes: [...bytes] }
}
