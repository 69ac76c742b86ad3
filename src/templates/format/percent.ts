import { Fault, typeError, valueError } from '../errors.ts'
import { dictGet } from '../values/compare.ts'
import { lengthOf, textOf, typeName } from '../values/inspect.ts'
import { type Int, isInt, isNumber, toFloat, toIndex, toInt } from '../values/numbers.ts'
import { Dict, Float, List, Range, Tuple, Undefined, type Value } from '../values/objects.ts'
import { substring, textLength } from '../values/text.ts'
import type { Work } from '../work.ts'
import { type FloatForm, isNegative, unsignedFloat } from './float.ts'
import { ascii, intText, repr, str } from './print.ts'

interface Directive {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly letter: string
}

const DIRECTIVE = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?(.)/suy

/** Python's `template % value`. */
export function percentFormat(work: Work, template: string, value: Value): string {
  work.walk(template.length)
  let list = value instanceof Tuple ? value.items : [value]
  // What has keys or positions may go unused; Python asks for that and no more.
  let maySpare = [Dict, List, Range, Undefined].some(type => value instanceof type)
  let used = 0
  const next = (): Value => {
    const item = list[used++]
    if (item === undefined) throw typeError('not enough arguments for format string')
    return item
  }
  let result = ''
  let at = 0
  for (;;) {
    const percent = template.indexOf('%', at)
    result += template.slice(at, percent < 0 ? undefined : percent)
    if (percent < 0) break
    DIRECTIVE.lastIndex = percent
    const found = DIRECTIVE.exec(template)
    if (found === null) throw valueError('incomplete format')
    const [whole, key, flags, width, precision, letter] = found
    at = percent + whole.length
    if (key !== undefined) {
      if (!(value instanceof Dict)) throw typeError('format requires a mapping')
      const given = dictGet(work, value, key)
      if (given === undefined) throw new Fault('KeyError', repr(work, key))
      list = [given]
      used = 0
      maySpare = true
    }
    const count = (text: string) => (text === '*' ? starWidth(next()) : Number(text || 0))
    const wide = count(width ?? '')
    const directive: Directive = {
      flags: wide < 0 ? `${flags}-` : flags!,
      width: Math.abs(wide),
      precision: precision === undefined ? undefined : Math.max(0, count(precision)),
      letter: letter!,
    }
    if (letter === '%') result += '%'
    else result += directiveText(work, directive, next())
    work.checkLength(result.length)
  }
  work.makeText(result.length)
  if (!maySpare && used < list.length) {
    throw typeError('not all arguments converted during string formatting')
  }
  return result
}

function starWidth(value: Value): number {
  if (!isInt(value)) throw typeError('* wants int')
  return toIndex(value)
}

function directiveText(work: Work, directive: Directive, value: Value): string {
  const { letter, precision } = directive
  if ('sra'.includes(letter)) {
    const text = letter === 's' ? str(work, value) : letter === 'r' ? repr(work, value) : ascii(work, value)
    return padded(work, directive, '', precision === undefined ? text : substring(work, text, 0, precision), false)
  }
  if (letter === 'c') return padded(work, directive, '', character(work, value), false)
  if ('diuoxX'.includes(letter)) return intDirective(work, directive, wholeOf(value, letter))
  if ('eEfFgG'.includes(letter)) {
    if (!isNumber(value)) throw typeError(`must be real number, not ${typeName(value)}`)
    const number = toFloat(value)
    work.spend(1 + ((precision ?? 0) >> 3) ** 2)
    work.makeText(precision ?? 0)
    const alternate = directive.flags.includes('#')
    const text = unsignedFloat(number, letter.toLowerCase() as FloatForm, precision ?? 6, alternate)
    const negative = isNegative(number) && text !== 'nan'
    return padded(work, directive, sign(negative, directive), letter < 'a' ? text.toUpperCase() : text, true)
  }
  throw valueError(`unsupported format character '${letter}' (0x${letter.codePointAt(0)!.toString(16)})`)
}

function character(work: Work, value: Value): string {
  const text = textOf(value)
  if (text !== undefined) {
    if (textLength(work, text) !== 1) throw typeError('%c requires int or char')
    return text
  }
  if (!isInt(value)) throw typeError('%c requires int or char')
  const code = Number(toInt(value))
  if (code < 0 || code > 0x10ffff) throw new Fault('OverflowError', '%c arg not in range(0x110000)')
  return String.fromCodePoint(code)
}

function wholeOf(value: Value, letter: string): Int {
  if (isInt(value)) return toInt(value)
  if (value instanceof Float && 'diu'.includes(letter)) {
    if (!Number.isFinite(value.value)) throw new Fault('OverflowError', 'cannot convert float to integer')
    return BigInt(Math.trunc(value.value))
  }
  const wanted = 'diu'.includes(letter) ? 'a real number is required' : 'an integer is required'
  throw typeError(`%${letter} format: ${wanted}, not ${typeName(value)}`)
}

function intDirective(work: Work, directive: Directive, value: Int): string {
  const { letter, precision, flags } = directive
  const size = value < 0 ? -value : value
  const base = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10
  const plain = base === 10 ? intText(work, size) : size.toString(base)
  work.makeText(precision ?? 0)
  const digits = (letter === 'X' ? plain.toUpperCase() : plain).padStart(precision ?? 0, '0')
  const prefix = flags.includes('#') && base !== 10 ? `0${letter}` : ''
  return padded(work, directive, sign(value < 0, directive) + prefix, digits, true)
}

function sign(negative: boolean, { flags }: Directive): string {
  return negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
}

function padded(work: Work, { flags, width }: Directive, lead: string, text: string, number: boolean): string {
  work.makeText(Math.max(width, text.length))
  const missing = width - lead.length - (lengthOf(work, text) ?? 0)
  if (missing <= 0) return lead + text
  if (flags.includes('-')) return lead + text + ' '.repeat(missing)
  if (number && flags.includes('0')) return lead + '0'.repeat(missing) + text
  return ' '.repeat(missing) + lead + text
}
