import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'
import { compilePattern, PatternProblem, rustPattern } from './schema/pattern.ts'

/** A regular expression and those of its flags that change what a whole text may be: some of `i` and `s`. */
export interface Expression {
  readonly source: string
  readonly flags: string
  /** The same in the syntax of Rust. */
  readonly rust: string
}

const WISH = 'expected i or s, or none'
/** Where the flag v changes what a class is. */
const SETS = /&&|--|\\q\{|\[[^\]\\]*\[/

/** Throws OptionError for what cannot be held, which names the flag or what of the expression it is. */
export function readRegex(regex: string | RegExp): Expression {
  const { source, flags } = typeof regex === 'string' ? ofText(regex) : ofRegExp(regex)
  const held = [...new Set(flags)].sort().join('')
  if (held.includes('i') && compilePattern(source, 'i')?.unicode === false) {
    throw new OptionError(`regex ${show(source)} has the flag i, which goes with what the flag u takes; leave i out`)
  }
  try {
    const rust = rustPattern(source, { dotAll: held.includes('s') })
    return { source, flags: held, rust: held.includes('i') ? `(?i:${rust})` : rust }
  } catch (problem) {
    if (!(problem instanceof PatternProblem)) throw problem
    throw new OptionError(`regex ${show(source)} ${problem.message}; expected ${problem.expected}`)
  }
}

function ofRegExp(regex: RegExp): Pick<Expression, 'source' | 'flags'> {
  if (!(regex instanceof RegExp)) throw new OptionError(`regex is ${show(regex)}; expected a text or a RegExp`)
  const { source } = regex
  if (regex.flags.includes('v') && SETS.test(source)) {
    throw new OptionError(
      `regex ${show(source)} has sets that only the flag v knows, which cannot be held; write them out`,
    )
  }
  // Of a whole text, d, g and y say nothing, and u is always meant.
  const flags = regex.flags.replace(/[dguvy]/g, '')
  if (/[^is]/.test(flags)) {
    const [flag] = flags.replace(/[is]/g, '')
    throw new OptionError(`regex has the flag ${flag}, which cannot be held; ${WISH}`)
  }
  return { source, flags }
}

/** A text is the expression itself, after `(?i)` or the like; it has no slashes around it. */
function ofText(text: string): Pick<Expression, 'source' | 'flags'> {
  const [begin = '', flags = ''] = /^\(\?([a-zA-Z]+)\)/.exec(text) ?? []
  if (/[^is]/.test(flags)) throw new OptionError(`regex begins with ${show(begin)}; ${WISH}`)
  const [, inside = '', after = ''] = /^\/(.*)\/([dgimsuvy]+)$/s.exec(text) ?? []
  if (after !== '') {
    const meant = after.replace(/[^is]/g, '')
    throw new OptionError(
      `regex is ${show(text)}, which has slashes around it and the flags ${after}; a text is the expression itself: ` +
        `write ${show(`${meant === '' ? '' : `(?${meant})`}${inside}`)}, or \\/ in front if slashes are meant`,
    )
  }
  return { source: text.slice(begin.length), flags }
}
