import type { SourceKind } from './wasm/instance.ts'

const MAX_LITERALS = 32

/** What patterns spell out: runs of plain characters in a regular expression, or in those of a schema's text. */
export function literalsOf(kind: SourceKind, text: string): readonly string[] {
  const schemas = [...text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].flatMap(([, json]) => textOf(json as string))
  const runs = (kind === 'regex' ? [text] : schemas).flatMap(
    pattern =>
      pattern
        .replace(ANY, 'x')
        .replace(HEX, (_, hex) => plainOf(hex))
        .match(/(?:\\[^\w\s]|[\w@/:.-])+/g) ?? [],
  )
  const plain = runs.map(run => run.replaceAll('\\', '')).filter(run => run.length > 1 && run.length < 64)
  return [...new Set(plain)].slice(0, MAX_LITERALS)
}

/** None where it is no JSON: an expression in a Lark grammar may look like a schema. */
function textOf(json: string): string[] {
  try {
    return [JSON.parse(json)]
  } catch {
    return []
  }
}

/** A class of all but some characters, once. */
const ANY = /\[\^(?:\\.|[^\]\\])*\](?![*+?{])/g
const HEX = /\\x\{([\da-f]+)\}/gi
/** The last code point of Unicode. */
const LAST = 0x10ffff

function plainOf(hex: string): string {
  const code = Number.parseInt(hex, 16)
  // After another backslash it is an x that is repeated.
  if (code > LAST) return ' '
  const character = String.fromCodePoint(code)
  return /\w/.test(character) ? character : `\\${character}`
}
