import { Fault, typeError, valueError } from '../errors.ts'
import { textOf, typeName } from '../values/inspect.ts'
import { isInt, toFloat, toInt } from '../values/numbers.ts'
import { Float, type Value } from '../values/objects.ts'
import { substring, textLength } from '../values/text.ts'
import type { Work } from '../work.ts'
import { type FloatForm, isNegative, unsignedFloat } from './float.ts'
import { intText, str } from './print.ts'

interface Spec {
  readonly fill: string
  readonly align: string
  readonly sign: string
  readonly noMinusZero: boolean
  readonly alternate: boolean
  readonly zero: boolean
  readonly width: number
  readonly grouping: string
  readonly precision: number | undefined
  readonly type: string
}

const FORM = /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d*)([,_]?)(?:\.(\d+))?(.?)$/su
const FORM_PLAIN = /^()()([-+ ])?(z)?(#)?(0)?(\d*)([,_]?)(?:\.(\d+))?(.?)$/su

/** Python's format(value, spec). */
export function formatValue(work: Work, value: Value, spec: string): string {
  if (spec === '') return str(work, value)
  work.walk(spec.length)
  const text = textOf(value)
  if (text !== undefined) return formatText(work, text, parse(spec, 'str'))
  if (isInt(value)) return formatInt(work, value, parse(spec, 'int'))
  if (value instanceof Float) return formatFloat(work, value.value, parse(spec, 'float'))
  throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`)
}

function parse(text: string, type: string): Spec {
  const found = FORM.exec(text) ?? FORM_PLAIN.exec(text)
  if (found === null) {
    throw valueError(
      /\.(?!\d)/.test(text)
        ? 'Format specifier missing precision'
        : `Invalid format specifier '${text}' for object of type '${type}'`,
    )
  }
  const [, fill, align, sign, noMinusZero, alternate, zero, width, grouping, precision, form] = found
  if ((width ?? '').length > 9 || (precision ?? '').length > 9) {
    throw valueError('Too many decimal digits in format string')
  }
  return {
    fill: fill ?? (zero ? '0' : ' '),
    align: align || (zero ? '=' : ''),
    sign: sign ?? '',
    noMinusZero: noMinusZero !== undefined,
    alternate: alternate !== undefined,
    zero: zero !== undefined,
    width: Number(width || 0),
    grouping: grouping ?? '',
    precision: precision === undefined ? undefined : Number(precision),
    type: form ?? '',
  }
}

function formatText(work: Work, text: string, spec: Spec): string {
  if (spec.type !== '' && spec.type !== 's') throw unknownType(spec, 'str')
  if (spec.sign !== '') throw valueError(`Sign not allowed in string format specifier`)
  if (spec.alternate) throw valueError('Alternate form (#) not allowed in string format specifier')
  if (spec.noMinusZero) throw valueError('Negative zero coercion (z) not allowed in string format specifier')
  if (spec.grouping !== '') throw valueError(`Cannot specify '${spec.grouping}' with 's'.`)
  if (spec.align === '=' && !spec.zero) throw valueError("'=' alignment not allowed in string format specifier")
  const shown = spec.precision === undefined ? text : substring(work, text, 0, spec.precision)
  return pad(work, '', shown, spec, '<')
}

function formatInt(work: Work, raw: number | bigint | boolean, spec: Spec): string {
  if ('eEfFgG%'.includes(spec.type) && spec.type !== '') return formatFloat(work, toFloat(raw), spec)
  if (spec.precision !== undefined) throw valueError('Precision not allowed in integer format specifier')
  if (spec.noMinusZero) throw valueError('Negative zero coercion (z) not allowed in integer format specifier')
  const value = toInt(raw)
  if (spec.type === 'c') {
    if (spec.sign !== '') throw valueError("Sign not allowed with integer format specifier 'c'")
    if (spec.alternate) throw valueError("Alternate form (#) not allowed with integer format specifier 'c'")
    if (value < 0 || value > 0x10ffff) throw new Fault('OverflowError', '%c arg not in range(0x110000)')
    if (spec.grouping !== '') throw valueError(`Cannot specify '${spec.grouping}' with 'c'.`)
    return pad(work, '', String.fromCodePoint(Number(value)), spec, '>')
  }
  const base = { '': 10, d: 10, n: 10, b: 2, o: 8, x: 16, X: 16 }[spec.type]
  if (base === undefined) throw unknownType(spec, 'int')
  if (spec.grouping === ',' && base !== 10) throw valueError(`Cannot specify ',' with '${spec.type}'.`)
  if (spec.grouping !== '' && spec.type === 'n') throw valueError(`Cannot specify '${spec.grouping}' with 'n'.`)
  const size = value < 0 ? -value : value
  const plain = base === 10 ? intText(work, size) : size.toString(base)
  const prefix = spec.alternate && base !== 10 ? `0${spec.type}` : ''
  const digits = grouped(spec.type === 'X' ? plain.toUpperCase() : plain, spec, base === 10 ? 3 : 4)
  return padNumber(work, signOf(value < 0, spec) + prefix, digits, '', spec, base === 10 ? 3 : 4)
}

function formatFloat(work: Work, value: number, spec: Spec): string {
  const percent = spec.type === '%'
  const type = spec.type === '' ? 'r' : percent ? 'f' : spec.type === 'n' ? 'g' : spec.type.toLowerCase()
  if (!'efgr'.includes(type) || spec.type === 'r') throw unknownType(spec, 'float')
  if (spec.grouping !== '' && spec.type === 'n') throw valueError(`Cannot specify '${spec.grouping}' with 'n'.`)
  const shown = percent ? value * 100 : value
  const digits = numberText(work, shown, type, spec)
  const text = spec.type === 'E' || spec.type === 'F' || spec.type === 'G' ? digits.toUpperCase() : digits
  const negative = isNegative(shown) && !Number.isNaN(shown) && !(spec.noMinusZero && /^[0.]+(e.*)?$/.test(digits))
  const [whole, rest] = /^\d*/.exec(text)![0] === '' ? [text, ''] : split(text)
  const end = rest + (percent ? '%' : '')
  return padNumber(work, signOf(negative, spec), grouped(whole, spec, 3), end, spec, 3)
}

function numberText(work: Work, value: number, type: string, spec: Spec): string {
  const { precision } = spec
  work.spend(1 + ((precision ?? 0) >> 3) ** 2)
  if (type !== 'r') return unsignedFloat(value, type as FloatForm, precision ?? 6, spec.alternate)
  if (precision === undefined) {
    const text = unsignedFloat(value, 'r', 0)
    return /^\d+$/.test(text) ? `${text}.0` : text
  }
  const text = unsignedFloat(value, 'short', precision, spec.alternate)
  return /^\d+$/.test(text) ? `${text}.0` : text
}

function split(text: string): [string, string] {
  const whole = /^\d*/.exec(text)![0]
  return [whole, text.slice(whole.length)]
}

function signOf(negative: boolean, spec: Spec): string {
  return negative ? '-' : spec.sign === '+' || spec.sign === ' ' ? spec.sign : ''
}

/** Digits with separators between groups; zeros that fill the width are grouped too. */
function grouped(digits: string, spec: Spec, size: number): string {
  if (spec.grouping === '' || !/^[\da-fA-F]+$/.test(digits)) return digits
  let result = ''
  for (let i = digits.length; i > 0; i -= size) {
    const group = digits.slice(Math.max(0, i - size), i)
    result = result === '' ? group : group + spec.grouping + result
  }
  return result
}

function padNumber(work: Work, sign: string, digits: string, end: string, spec: Spec, size: number): string {
  work.makeText(spec.width)
  if (spec.align === '=' && spec.fill === '0' && spec.grouping !== '' && /^[\da-fA-F]/.test(digits)) {
    const room = spec.width - sign.length - end.length
    let plain = digits.replaceAll(spec.grouping, '')
    while (plain.length + Math.floor((plain.length - 1) / size) < room) plain = `0${plain}`
    return sign + grouped(plain, spec, size) + end
  }
  return pad(work, sign, digits + end, spec, '>')
}

function pad(work: Work, sign: string, text: string, spec: Spec, usual: string): string {
  work.makeText(Math.max(spec.width, text.length))
  const missing = spec.width - sign.length - textLength(work, text)
  if (missing <= 0) return sign + text
  const align = spec.align || usual
  const before = align === '<' ? 0 : align === '^' ? Math.floor(missing / 2) : missing
  const [left, right] = [spec.fill.repeat(before), spec.fill.repeat(missing - before)]
  // For a text, '=' comes with a leading 0 in the width and then means '<'.
  if (align === '=') return usual === '<' ? text + left : sign + left + text
  return left + sign + text + right
}

function unknownType(spec: Spec, type: string): Fault {
  return valueError(`Unknown format code '${spec.type}' for object of type '${type}'`)
}
