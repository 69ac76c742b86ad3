/** Unicode's blanks and words, as the Rust library has them; JavaScript's own \s and \w are others. */
export const BLANK = /^\p{White_Space}$/u
export const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
