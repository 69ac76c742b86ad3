import { escapedCode } from '../format/print.ts'
import { syntaxError } from './tokens.ts'

const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const WIDTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** The text that a string of a template stands for: Python's escapes; an unknown one stays as it is. */
export function unescapeString(source: string, line: number): string {
  if (!source.includes('\\')) return source
  let result = ''
  let at = 0
  for (;;) {
    const slash = source.indexOf('\\', at)
    if (slash < 0) return result + source.slice(at)
    result += source.slice(at, slash)
    const letter = source[slash + 1]
    if (letter === undefined) throw syntaxError('\\ at end of string', line)
    at = slash + 2
    const simple = SIMPLE[letter]
    if (simple !== undefined) result += simple
    else if (letter >= '0' && letter <= '7') {
      const digits = /^[0-7]{1,3}/.exec(source.slice(slash + 1, slash + 4))![0]
      result += String.fromCharCode(Number.parseInt(digits, 8))
      at = slash + 1 + digits.length
    } else if (letter in WIDTH) {
      const digits = source.slice(at, at + WIDTH[letter]!)
      if (digits.length < WIDTH[letter]! || !/^[\da-fA-F]+$/.test(digits)) {
        throw syntaxError(`truncated \\${letter} escape`, line)
      }
      const code = Number.parseInt(digits, 16)
      if (code > 0x10ffff) throw syntaxError('illegal Unicode character', line)
      result += String.fromCodePoint(code)
      at += digits.length
    } else if (letter === 'N') throw syntaxError('latentkit does not know characters by their names (\\N{…})', line)
    else {
      // Jinja turns what is not ASCII into escapes first, and the backslash before such a one escapes that escape.
      const code = source.codePointAt(slash + 1)!
      result += code < 0x80 ? `\\${letter}` : escapedCode(code)
      at = slash + (code > 0xffff ? 3 : 2)
    }
  }
}
