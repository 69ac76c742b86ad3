/** Unicode's white space and words, as in the Rust library; JavaScript's \s and \w differ. */
export const BLANK = /^\p{White_Space}$/u
export const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
