/**
 * Texts of files in sentences of ours: what moves a cursor, turns the writing direction or ends a line is shown by its
 * code, so that a file can neither forge a line nor reach the terminal.
 */

/** Joiners stay: words of several scripts and many emoji are written with them. */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu
const UNSAFE_BUT_LINES = /(?![\n\t])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu

/** Most UTF-16 units of an error's message. */
const LONGEST_SENTENCE = 3000

/** `text` with control characters, line breaks and marks of direction as `\u001b`. `lines`: line breaks and tabs stay. */
export function printable(text: string, { lines = false } = {}): string {
  return text.replace(lines ? UNSAFE_BUT_LINES : UNSAFE, escaped)
}

/** A printable sentence of at most 3,000 characters: of a longer one the middle is left out. */
export function sentence(text: string, options?: { readonly lines?: boolean }): string {
  // Shortened before the work as well: a message may hold a whole file.
  return shortened(printable(shortened(text), options))
}

function shortened(text: string): string {
  if (text.length <= LONGEST_SENTENCE) return text
  const head = text.slice(0, LONGEST_SENTENCE * 0.6)
  const tail = text.slice(text.length - LONGEST_SENTENCE * 0.3)
  return `${head} … (${text.length - head.length - tail.length} characters left out) … ${tail}`
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
