import type { Work } from '../work.ts'
import { find } from './search.ts'

/** Texts are counted in code points, as Python counts them; most have no surrogates, and then units are code points. */

const SURROGATE = /[\ud800-\udfff]/

export function hasSurrogates(text: string): boolean {
  return SURROGATE.test(text)
}

export function textLength(work: Work, text: string): number {
  work.scan(text.length)
  if (!hasSurrogates(text)) return text.length
  work.walk(text.length)
  let pairs = 0
  for (let i = 0; i + 1 < text.length; i++) {
    if (isPairAt(text, i)) {
      pairs++
      i++
    }
  }
  return text.length - pairs
}

function isPairAt(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
}

/** The code points as texts of their own. */
export function characters(work: Work, text: string): string[] {
  work.makeItems(text.length)
  return hasSurrogates(text) ? Array.from(text) : text.split('')
}

/** Characters from one position up to another, positions in code points and within the text. */
export function substring(work: Work, text: string, from: number, to: number): string {
  work.scan(text.length)
  if (!hasSurrogates(text)) return text.slice(from, Math.max(from, to))
  work.walk(text.length)
  const start = unitOf(text, from)
  return text.slice(start, Math.max(start, unitOf(text, to)))
}

/** Where the code point of this position begins, in UTF-16 units. */
export function unitOf(text: string, position: number): number {
  let unit = 0
  for (let i = 0; i < position && unit < text.length; i++) unit += isPairAt(text, unit) ? 2 : 1
  return unit
}

/** The position in code points of a unit. */
export function positionOf(work: Work, text: string, unit: number): number {
  return textLength(work, text.slice(0, unit))
}

/** Less than 0 if a comes before b in the order of code points. */
export function compareText(work: Work, a: string, b: string): number {
  work.scan(Math.min(a.length, b.length))
  if (a === b) return 0
  if (!hasSurrogates(a) || !hasSurrogates(b)) {
    // A surrogate stands for a code point above all others, but as a unit it is below U+E000.
    if (!hasSurrogates(a) && !hasSurrogates(b)) return a < b ? -1 : 1
  }
  const shorter = Math.min(a.length, b.length)
  work.walk(shorter)
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}

/** The inside of a regular expression's class that takes what `isSpace` takes. */
export const BLANK = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

/** Python's white space: U+FEFF is none, U+001C to U+001F and U+0085 are. */
export function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 32 || (unit >= 9 && unit <= 13) || (unit >= 0x1c && unit <= 0x1f)
  return (
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  )
}

/** The units that remain when white space, or these characters, are taken off the ends. */
function strippedBounds(
  work: Work,
  text: string,
  chars: string | null,
  ends: 'both' | 'left' | 'right',
): [number, number] {
  const wanted = chars === null ? null : new Set(Array.from(chars, character => character.codePointAt(0)!))
  if (chars !== null) work.makeItems(chars.length)
  const goes = (code: number) => (wanted === null ? isSpace(code) : wanted.has(code))
  let from = 0
  let to = text.length
  if (ends !== 'right') {
    while (from < to) {
      const code = text.codePointAt(from)!
      if (!goes(code)) break
      from += code > 0xffff ? 2 : 1
    }
  }
  if (ends !== 'left') {
    while (to > from) {
      const width = to - 2 >= from && isPairAt(text, to - 2) ? 2 : 1
      if (!goes(text.codePointAt(to - width)!)) break
      to -= width
    }
  }
  work.walk(from + text.length - to)
  return [from, to]
}

export function strip(
  work: Work,
  text: string,
  chars: string | null,
  ends: 'both' | 'left' | 'right' = 'both',
): string {
  // Reading the first unit of a text that was joined from parts copies it whole.
  work.scan(text.length)
  return text.slice(...strippedBounds(work, text, chars, ends))
}

const ENDS = '\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029'
const LINE_END = new RegExp(`\\r\\n|[${ENDS}]`, 'g')

export function splitLines(work: Work, text: string, keepEnds: boolean): string[] {
  work.walk(text.length)
  const lines: string[] = []
  let start = 0
  for (const found of text.matchAll(LINE_END)) {
    const end = found.index + found[0].length
    lines.push(text.slice(start, keepEnds ? end : found.index))
    start = end
  }
  if (start < text.length) lines.push(text.slice(start))
  work.makeItems(lines.length)
  return lines
}

/** How often a part that is not empty stands in the text, without overlap; at most so often. */
export function countText(work: Work, text: string, part: string, most = Number.POSITIVE_INFINITY): number {
  let count = 0
  work.scan(text.length)
  for (let at = find(work, text, part, 0); at >= 0 && count < most; at = find(work, text, part, at + part.length))
    count++
  return count
}
