/**
 * Texts by several patterns at once: those that match all of some and none of others. The library holds them as one pattern
 * (native-grammar/patches.json). So patterns that look ahead or behind at a fixed place can be held, and the opposite of a pattern.
 */
import { PatternProblem, rustPattern } from './pattern.ts'

/** Patterns in Rust's syntax. */
export interface TextSet {
  readonly all: readonly string[]
  readonly none: readonly string[]
}

export const ALL_TEXTS: TextSet = { all: [], none: [] }

/** Between patterns, whose translation has no control characters. */
const MARK = '\u0001'

/** The set as one pattern of the library. */
export function patternOf({ all, none }: TextSet): string {
  if (none.length === 0 && all.length <= 1) return all[0] ?? ''
  return [...all.map(pattern => `${MARK}=${pattern}`), ...none.map(pattern => `${MARK}!${pattern}`)].join('')
}

/** The set that a pattern of `patternOf` says. */
export function setOf(pattern: string): TextSet {
  if (!pattern.startsWith(MARK)) return { all: pattern === '' ? [] : [pattern], none: [] }
  const parts = pattern.slice(MARK.length).split(MARK)
  const behind = (sign: string) => parts.filter(part => part.startsWith(sign)).map(part => part.slice(sign.length))
  return { all: behind('='), none: behind('!') }
}

/** Texts that are in both. */
export function both(a: TextSet, b: TextSet): TextSet {
  return { all: [...new Set([...a.all, ...b.all])], none: [...new Set([...a.none, ...b.none])] }
}

/** Sets that together have every text that is not in this one. */
export function outside({ all, none }: TextSet): TextSet[] {
  return [...all.map(pattern => ({ all: [], none: [pattern] })), ...none.map(pattern => ({ all: [pattern], none: [] }))]
}

/** Texts that a pattern of JavaScript is found in. Throws PatternProblem. */
export function textsWith(pattern: string): TextSet {
  const { all, none } = looksAround(pattern) ?? { all: [pattern], none: [] }
  return { all: all.map(one => rustPattern(one)), none: none.map(one => rustPattern(one)) }
}

/** Whether a character is free of it: `^((?!x).)*$`. */
const TEMPERED = /^\^\((?:\?:)?\(\?!(.+)\)\.\)([*+])\$$/s

/** A pattern without what it looks at around places that are fixed, and what has or has not to be found there. Null: it looks around nowhere there. */
function looksAround(pattern: string): TextSet | null {
  if (!/\(\?(?:[=!]|<[=!])/.test(pattern) || alternatives(pattern).length > 1) return null
  const tempered = TEMPERED.exec(pattern)
  const never = tempered?.[1]
  if (tempered && never !== undefined && closes(never)) return { all: [`^.${tempered[2]}$`], none: [`(?:${never})`] }
  const all: string[] = []
  const none: string[] = []
  const atoms = atomsOf(pattern)
  const left: string[] = []
  /** The pattern up to here if it matches texts of one length only. */
  let before: string | null = atoms[0] === '^' ? '' : null
  for (const [i, atom] of atoms.entries()) {
    const look = /^\(\?(<?)([=!])(.*)\)$/s.exec(atom)
    if (!look) {
      left.push(atom)
      if (i > 0 && before !== null) before = isFixed(atom) ? before + atom : null
      continue
    }
    const [, behind, kind, content = ''] = look
    const atEnd = atoms[i + 1] === '$' && i + 2 === atoms.length
    if (behind ? !atEnd : before === null) return null
    const ways = alternatives(content)
    if (kind === '=' && ways.length > 1) return null
    for (const one of ways) {
      if (one.startsWith('^') && before !== '') return null
      const ends = atomsOf(one).at(-1) === '$'
      const inner = one.slice(one.startsWith('^') ? 1 : 0, ends ? -1 : undefined)
      const found = behind ? `(?:${one})$` : `^${before}(?:${inner})${ends ? '$' : ''}`
      ;(kind === '=' ? all : none).push(found)
    }
  }
  const rest = left.join('')
  return { all: rest === '^' || rest === '' ? all : [...all, rest], none }
}

/** Whether each group that begins or ends in it does both. */
function closes(pattern: string): boolean {
  try {
    return !atomsOf(pattern).includes(')')
  } catch {
    return false
  }
}

/** A single character, class or escape that is not repeated. */
function isFixed(atom: string): boolean {
  return /^(?:[^\\[(^$*+?{]|\\[^bBkc]|\[(?:\\.|[^\]\\])*\])$/s.test(atom) || /^\\(?:x..|u....)$/s.test(atom)
}

/** A pattern's alternatives. */
export const alternatives = (pattern: string): string[] => parts(pattern, '|')

/** The pattern cut at a character outside of groups and classes. */
function parts(pattern: string, mark: string): string[] {
  const found = ['']
  for (const atom of atomsOf(pattern)) {
    if (atom === mark) found.push('')
    else found[found.length - 1] += atom
  }
  return found
}

const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/
const ESCAPE = /^\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|u\{[^}]*\}|[pP]\{[^}]*\}|.)/s
const CLASS = /^\[\^?(?:\\.|[^\]\\])*\]/s

/** Characters, escapes, classes and groups, each with what repeats it. Throws PatternProblem for a group without an end. */
function atomsOf(pattern: string): string[] {
  const atoms: string[] = []
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at)
    const one = ESCAPE.exec(rest)?.[0] ?? CLASS.exec(rest)?.[0] ?? (rest[0] === '(' ? groupOf(rest) : rest[0])
    const atom = one as string
    const repeats = /^[|^$]$/.test(atom) ? '' : (QUANTIFIER.exec(rest.slice(atom.length))?.[0] ?? '')
    atoms.push(atom + repeats)
    at += atom.length + repeats.length
  }
  return atoms
}

function groupOf(rest: string): string {
  let depth = 0
  for (let at = 0; at < rest.length; ) {
    const inside = rest.slice(at)
    const step = ESCAPE.exec(inside)?.[0] ?? CLASS.exec(inside)?.[0] ?? (inside[0] as string)
    at += step.length
    if (step === '(') depth++
    if (step === ')' && --depth === 0) return rest.slice(0, at)
  }
  throw new PatternProblem('has a group without an end')
}
