import { messageOf, TokenizerError } from './errors.ts'
import { inJavaScript } from './library.ts'
import { Expression } from './regex/expression.ts'
import { MAX_EXPRESSION, type Work } from './work.ts'

/** The pattern of a Split or a Replace. */
export interface Pattern {
  /** Start and end of each match, flat: [0, 3, 3, 7 …]. Throws TokenizerError for too much work. */
  findAll(text: string, work: Work): number[]
}

/** `{"String": …}` or `{"Regex": …}`. `where` names file and key in errors. Throws TokenizerError. */
export function patternOf(spec: unknown, where: string): Pattern {
  const { String: literal, Regex: expression = '' } = spec as { String?: string; Regex?: string }
  return literal === undefined ? expressionOf(expression, where) : literalOf(literal)
}

export function expressionOf(expression: string, where: string): Pattern {
  if (expression.length > MAX_EXPRESSION) {
    throw new TokenizerError(
      `${where} has a regular expression of ${expression.length} characters; latentkit takes at most ${MAX_EXPRESSION}`,
    )
  }
  try {
    return new Expression(inJavaScript(expression))
  } catch (error) {
    const shown = JSON.stringify(expression.length > 200 ? `${expression.slice(0, 200)}…` : expression)
    throw new TokenizerError(
      `${where} has the regular expression ${shown}, which cannot be used: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** Finds a literal in linear time (Knuth, Morris and Pratt). As in the Rust library, an empty one never matches. */
function literalOf(literal: string): Pattern {
  if (literal === '') return { findAll: () => [] }
  if (literal.length <= NATIVE_LENGTH) return { findAll: (text, work) => findShort(text, literal, work) }
  let borders: Int32Array | undefined
  return {
    findAll(text, work) {
      work.spend(text.length + literal.length)
      borders ??= bordersOf(literal)
      const found: number[] = []
      let matched = 0
      for (let at = 0; at < text.length; at++) {
        const unit = text.charCodeAt(at)
        while (matched > 0 && literal.charCodeAt(matched) !== unit) matched = borders[matched - 1]!
        if (literal.charCodeAt(matched) === unit) matched++
        if (matched < literal.length) continue
        found.push(at + 1 - literal.length, at + 1)
        matched = 0
      }
      return found
    },
  }
}

/** Up to this length, JavaScript's own search is used: it may compare so many units at each position. */
const NATIVE_LENGTH = 32

function findShort(text: string, literal: string, work: Work): number[] {
  work.spend(text.length)
  const found: number[] = []
  for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + literal.length)) {
    found.push(at, at + literal.length)
  }
  return found
}

function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length)
  let border = 0
  for (let i = 1; i < text.length; i++) {
    while (border > 0 && text.charCodeAt(i) !== text.charCodeAt(border)) border = borders[border - 1]!
    if (text.charCodeAt(i) === text.charCodeAt(border)) border++
    borders[i] = border
  }
  return borders
}

/** Replaces every match by `content`. Throws TokenizerError if the text grows beyond bounds. */
export function replaceAll(text: string, pattern: Pattern, content: string, work: Work): string {
  const found = pattern.findAll(text, work)
  if (found.length === 0) return text
  let removed = 0
  for (let i = 0; i < found.length; i += 2) removed += found[i + 1]! - found[i]!
  work.checkLength(text.length - removed + (found.length / 2) * content.length)
  const parts: string[] = []
  let shown = 0
  for (let i = 0; i < found.length; i += 2) {
    parts.push(text.slice(shown, found[i]), content)
    shown = found[i + 1]!
  }
  parts.push(text.slice(shown))
  return parts.join('')
}
