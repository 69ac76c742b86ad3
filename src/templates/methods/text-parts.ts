import { valueError } from '../errors.ts'
import { find, findLast } from '../values/search.ts'
import { characters, isSpace, strip } from '../values/text.ts'
import type { Work } from '../work.ts'

/** Python's text.split(separator, most); most below 0: as often as it stands there. */
export function splitText(work: Work, text: string, separator: string, most: number, fromRight: boolean): string[] {
  if (separator === '') throw valueError('empty separator')
  return fromRight && most >= 0
    ? splitFromRight(work, text, separator, most)
    : splitFromLeft(work, text, separator, most)
}

function splitFromLeft(work: Work, text: string, separator: string, most: number): string[] {
  const parts: string[] = []
  let start = 0
  work.scan(text.length)
  while (most < 0 || parts.length < most) {
    const at = find(work, text, separator, start)
    if (at < 0) break
    parts.push(text.slice(start, at))
    if ((parts.length & 1023) === 0) work.makeItems(parts.length)
    start = at + separator.length
  }
  parts.push(text.slice(start))
  work.makeItems(parts.length)
  return parts
}

function splitFromRight(work: Work, text: string, separator: string, most: number): string[] {
  const parts: string[] = []
  let end = text.length
  work.scan(text.length)
  while (parts.length < most) {
    const at = findLast(work, text, separator, end)
    if (at < 0) break
    parts.push(text.slice(at + separator.length, end))
    if ((parts.length & 1023) === 0) work.makeItems(parts.length)
    end = at
  }
  parts.push(text.slice(0, end))
  work.makeItems(parts.length)
  return parts.reverse()
}

/** Python's text.split(None, most): at runs of white space, which vanish at the ends too. */
export function splitWords(work: Work, text: string, most: number, fromRight: boolean): string[] {
  work.walk(text.length)
  const words: string[] = []
  let rest = strip(work, text, null, fromRight ? 'right' : 'left')
  if (fromRight && most >= 0) {
    let end = rest.length
    while (end > 0) {
      if (words.length === most) {
        words.push(rest.slice(0, end))
        break
      }
      let start = end
      while (start > 0 && !isSpace(rest.charCodeAt(start - 1))) start--
      words.push(rest.slice(start, end))
      end = start
      while (end > 0 && isSpace(rest.charCodeAt(end - 1))) end--
    }
    work.makeItems(words.length)
    return words.reverse()
  }
  if (fromRight) rest = strip(work, rest, null, 'left')
  let start = 0
  while (start < rest.length) {
    if (words.length === most) {
      words.push(rest.slice(start))
      break
    }
    let end = start
    while (end < rest.length && !isSpace(rest.charCodeAt(end))) end++
    words.push(rest.slice(start, end))
    start = end
    while (start < rest.length && isSpace(rest.charCodeAt(start))) start++
  }
  work.makeItems(words.length)
  return words
}

/** Python's text.replace(old, new, most); most below 0: all. */
export function replaceText(work: Work, text: string, old: string, to: string, most: number): string {
  if (most === 0) return text
  const parts = old === '' ? betweenCharacters(work, text, most) : splitFromLeft(work, text, old, most)
  work.makeText(text.length + (parts.length - 1) * (to.length - old.length))
  return parts.join(to)
}

function betweenCharacters(work: Work, text: string, most: number): string[] {
  const parts = ['', ...characters(work, text), '']
  if (most < 0 || most >= parts.length - 1) return parts
  return [...parts.slice(0, most), parts.slice(most).join('')]
}
