import type { DrawnToken, TokenChance } from './events.ts'

/** JSON has no number for a forbidden token. */
const FORBIDDEN = -9999

/** OpenAI's form of a token that was drawn, which others took over. */
export function wireLogprob(token: DrawnToken) {
  return withLikeliest(token, wireChance)
}

/** A token that was drawn and those it was drawn among, each in a form of `T`. */
export function withLikeliest<T extends object>(token: DrawnToken, form: (chance: TokenChance) => T) {
  return { ...form(token), top_logprobs: token.top.map(form) }
}

export function wireChance({ text, logprob, bytes }: TokenChance) {
  return { token: text, logprob: Number.isFinite(logprob) ? logprob : FORBIDDEN, bytes: [...bytes] }
}
