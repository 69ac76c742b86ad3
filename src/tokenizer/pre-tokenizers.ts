import { BYTE_TO_CHAR } from './byte-level.ts'
import { TokenizerError } from './errors.ts'
import { expressionOf, type Pattern, patternOf, replaceAll } from './pattern.ts'
import type { Component } from './tokenizer-json.ts'
import type { Work } from './work.ts'

/** Splits pieces into smaller, non-empty ones. `first`: they begin the text. Throws TokenizerError for too much work. */
export type PreTokenizer = (pieces: readonly string[], first: boolean, work: Work) => string[]

/** Compiles the `pre_tokenizer` of a tokenizer.json, with the Rust library's behaviour. `where` names file and key in errors. */
export function compilePreTokenizer(part: Component, where: string): PreTokenizer {
  const byExpression = (expression: string, behavior: Behavior, invert = false) =>
    split(expressionOf(expression, where), behavior, invert)
  switch (part.type) {
    case 'Sequence':
      return inSequence((part.pretokenizers as Component[]).map(child => compilePreTokenizer(child, where)))
    case 'Split':
      return split(patternOf(part.pattern, where), behaviorOf(part, where), part.invert === true)
    case 'ByteLevel':
      return byteLevel(part, where)
    case 'Metaspace':
      return metaspace(part)
    case 'Digits':
      return byExpression(part.individual_digits === true ? '\\p{N}' : '\\p{N}+', 'isolated')
    case 'Punctuation':
      return byExpression(PUNCTUATION, behaviorOf(part, where))
    case 'Whitespace':
      return byExpression('\\w+|[^\\w\\s]+', 'removed', true)
    case 'WhitespaceSplit':
      return byExpression('\\s+', 'removed')
    case 'BertPreTokenizer':
      return inSequence([byExpression('\\s+', 'removed'), byExpression(PUNCTUATION, 'isolated')])
    case 'FixedLength':
      return fixedLength(Number(part.length))
    default:
      throw new TokenizerError(`${where} has the type ${JSON.stringify(part.type)}, which latentkit does not know`)
  }
}

const PUNCTUATION = '[\\p{P}!-/:-@\\[-`{-~]'
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

type Behavior = 'removed' | 'isolated' | 'contiguous' | 'mergedwithprevious' | 'mergedwithnext'
const BEHAVIORS: readonly string[] = ['removed', 'isolated', 'contiguous', 'mergedwithprevious', 'mergedwithnext']

function behaviorOf(part: Component, where: string): Behavior {
  const behavior = String(part.behavior ?? 'isolated').toLowerCase()
  if (BEHAVIORS.includes(behavior)) return behavior as Behavior
  throw new TokenizerError(`${where} has the behavior ${JSON.stringify(part.behavior)}, which latentkit does not know`)
}

function inSequence(steps: readonly PreTokenizer[]): PreTokenizer {
  return (pieces, first, work) => steps.reduce((before, step) => step(before, first, work), [...pieces])
}

/** Applies `cut` to each piece. It may add any number of pieces; their total length is bounded. */
const forEach =
  (cut: (piece: string, work: Work, into: string[], first: boolean) => void): PreTokenizer =>
  (pieces, first, work) => {
    const all: string[] = []
    let length = 0
    let counted = 0
    for (const piece of pieces) {
      cut(piece, work, all, first)
      for (; counted < all.length; counted++) length += all[counted]!.length
      work.checkLength(length)
    }
    work.spend(length + all.length)
    return all
  }

/** A section of a piece: a match, or the text between matches. */
interface Stretch {
  readonly from: number
  to: number
  readonly isMatch: boolean
}

function split(pattern: Pattern, behavior: Behavior, invert: boolean): PreTokenizer {
  return forEach((piece, work, into) => {
    const found = pattern.findAll(piece, work)
    if (found.length === 0 && !invert) {
      into.push(piece)
      return
    }
    for (const { from, to, isMatch } of merged(stretchesOf(piece, found, invert), behavior)) {
      if (from < to && !(isMatch && behavior === 'removed')) into.push(piece.slice(from, to))
    }
  })
}

function stretchesOf(piece: string, found: readonly number[], invert: boolean): Stretch[] {
  const stretches: Stretch[] = []
  let from = 0
  for (let i = 0; i < found.length; i += 2) {
    const [begin, end] = [found[i]!, found[i + 1]!]
    if (begin > from) stretches.push({ from, to: begin, isMatch: invert })
    stretches.push({ from: begin, to: end, isMatch: !invert })
    from = end
  }
  if (from < piece.length) stretches.push({ from, to: piece.length, isMatch: invert })
  return stretches
}

/** Joins neighbouring sections according to the behavior. */
function merged(stretches: Stretch[], behavior: Behavior): Stretch[] {
  if (behavior === 'removed' || behavior === 'isolated') return stretches
  const joined: Stretch[] = []
  for (const [i, stretch] of stretches.entries()) {
    const before = stretches[i - 1]
    if (before !== undefined && joins(before, stretch, behavior)) joined.at(-1)!.to = stretch.to
    else joined.push({ ...stretch })
  }
  return joined
}

function joins(before: Stretch, stretch: Stretch, behavior: Behavior): boolean {
  if (behavior === 'contiguous') return before.isMatch === stretch.isMatch
  if (behavior === 'mergedwithprevious') return stretch.isMatch && !before.isMatch
  return before.isMatch && !stretch.isMatch
}

/** Splits as GPT-2 does (unless `use_regex` is false), then writes every byte as one printable character. */
function byteLevel(part: Component, where: string): PreTokenizer {
  const prefix = part.add_prefix_space === true
  const inBytes = forEach((piece, _, into) => into.push(toByteLevel(piece)))
  const begin = forEach((piece, _, into) => into.push(prefix && !piece.startsWith(' ') ? ` ${piece}` : piece))
  if (part.use_regex === false) return inSequence([begin, inBytes])
  return inSequence([begin, split(expressionOf(GPT2, where), 'isolated', false), inBytes])
}

const utf8 = new TextEncoder()
const PRINTABLE = /^[!-~]*$/

function toByteLevel(piece: string): string {
  if (PRINTABLE.test(piece)) return piece
  let text = ''
  for (const byte of utf8.encode(piece)) text += BYTE_TO_CHAR[byte]
  return text
}

function metaspace(part: Component): PreTokenizer {
  const mark = typeof part.replacement === 'string' ? part.replacement : '\u2581'
  const scheme = part.prepend_scheme ?? (part.add_prefix_space === false ? 'never' : 'always')
  const space = patternOf({ String: ' ' }, '')
  const marked = forEach((piece, work, into, first) => {
    const text = replaceAll(piece, space, mark, work)
    const prepends = scheme === 'always' || (scheme === 'first' && first)
    into.push(prepends && !text.startsWith(mark) ? mark + text : text)
  })
  if (part.split === false) return marked
  return inSequence([marked, split(patternOf({ String: mark }, ''), 'mergedwithnext', false)])
}

/** Pieces of `length` code points. */
function fixedLength(length: number): PreTokenizer {
  return forEach((piece, _, into) => {
    let from = 0
    let count = 0
    for (let at = 0; at < piece.length; count++) {
      if (count === length) {
        into.push(piece.slice(from, at))
        from = at
        count = 0
      }
      at += piece.codePointAt(at)! > 0xffff ? 2 : 1
    }
    if (from < piece.length) into.push(piece.slice(from))
  })
}
