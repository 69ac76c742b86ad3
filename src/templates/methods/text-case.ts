import { isSpace } from '../values/text.ts'
import { LOWER, TITLE, titleCharacter, UPPER } from '../values/unicode.ts'
import type { Work } from '../work.ts'

export function upper(work: Work, text: string): string {
  work.makeText(text.length)
  const result = text.toUpperCase()
  work.makeText(result.length)
  return result
}

export function lower(work: Work, text: string): string {
  work.makeText(text.length)
  const result = text.toLowerCase()
  work.makeText(result.length)
  return result
}

export function capitalize(work: Work, text: string): string {
  if (text === '') return ''
  const first = String.fromCodePoint(text.codePointAt(0)!)
  return titleCharacter(first) + lower(work, text.slice(first.length))
}

/** A letter, or a mark that has a case: what title() takes for the inside of a word. */
const CASED = /\p{Cased}/u

export function title(work: Work, text: string): string {
  work.walk(text.length)
  work.walk(text.length)
  const lowered = lower(work, text)
  // Where lower case is longer than what it came from, positions differ: then each character is lowered alone.
  const together = lowered.length === text.length
  let result = ''
  let inside = false
  let unit = 0
  for (const character of text) {
    const low = together ? lowered.slice(unit, unit + character.length) : character.toLowerCase()
    result += inside ? low : titleCharacter(character)
    inside = CASED.test(character)
    unit += character.length
  }
  work.checkLength(result.length)
  return result
}

export function swapCase(work: Work, text: string): string {
  work.walk(text.length)
  work.walk(text.length)
  let result = ''
  for (const character of text) {
    result += UPPER.test(character)
      ? character.toLowerCase()
      : LOWER.test(character)
        ? character.toUpperCase()
        : character
  }
  work.checkLength(result.length)
  return result
}

const ANY_LOWER = /\p{Lowercase}/u
const ANY_UPPER = /[\p{Uppercase}\p{Lt}]/u

export function isLower(text: string): boolean {
  return ANY_LOWER.test(text) && !ANY_UPPER.test(text)
}

export function isUpper(text: string): boolean {
  return /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text)
}

/** Whether words begin with a capital and go on in small letters. */
export function isTitle(text: string): boolean {
  let inside = false
  let any = false
  for (const character of text) {
    const capital = UPPER.test(character) || TITLE.test(character)
    if (capital ? inside : LOWER.test(character) && !inside) return false
    inside = capital || LOWER.test(character)
    any ||= inside
  }
  return any
}

export function expandTabs(work: Work, text: string, size: number): string {
  work.walk(text.length)
  let result = ''
  let column = 0
  for (const character of text) {
    if (character === '\t') {
      const blanks = size > 0 ? size - (column % size) : 0
      work.makeText(blanks)
      result += ' '.repeat(blanks)
      column += blanks
    } else {
      result += character
      column = character === '\n' || character === '\r' ? 0 : column + 1
    }
    work.checkLength(result.length)
  }
  return result
}

/** The `title` filter of Jinja: words begin behind blanks, `-`, `(`, `{`, `[` and `<`. */
export function titleWords(work: Work, text: string): string {
  work.walk(text.length)
  let result = ''
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && !isBreak(text.charCodeAt(i))) continue
    if (i > start) result += capitalizeWord(work, text.slice(start, i))
    if (i < text.length) result += text[i]
    start = i + 1
  }
  work.makeText(result.length)
  return result
}

function isBreak(unit: number): boolean {
  return isSpace(unit) || unit === 45 || unit === 40 || unit === 123 || unit === 91 || unit === 60
}

function capitalizeWord(work: Work, word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0)!)
  return first.toUpperCase() + lower(work, word.slice(first.length))
}
