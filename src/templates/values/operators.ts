import { typeError } from '../errors.ts'
import { escapeHtml } from '../format/html.ts'
import { percentFormat } from '../format/percent.ts'
import type { Work } from '../work.ts'
import { isText, typeName } from './inspect.ts'
import { arithmetic, isInt, isNumber, negate, type Operator, toIndex, toInt } from './numbers.ts'
import { Float, List, Markup, Tuple, Undefined, type Value } from './objects.ts'

export type { Operator } from './numbers.ts'

/** Python's `a op b`. */
export function binary(work: Work, op: Operator, a: Value, b: Value): Value {
  if (isNumber(a) && isNumber(b)) return arithmetic(work, op, a, b)
  if (typeof a === 'string' && typeof b === 'string' && op === '+') return join(work, a, b)
  if (op === '%' && isText(a)) return formatPercent(work, a, b)
  for (const value of [a, b]) if (value instanceof Undefined) throw value.fault()
  const result = op === '+' ? concatenate(work, a, b) : op === '*' ? repeat(work, a, b) : undefined
  if (result !== undefined) return result
  throw typeError(message(op, a, b))
}

function message(op: Operator, a: Value, b: Value): string {
  if (op === '+' && isText(a)) return `can only concatenate str (not "${typeName(b)}") to str`
  if (op === '+' && (a instanceof List || a instanceof Tuple)) {
    return `can only concatenate ${a.type} (not "${typeName(b)}") to ${a.type}`
  }
  const shown = op === '**' ? '** or pow()' : op
  return `unsupported operand type(s) for ${shown}: '${typeName(a)}' and '${typeName(b)}'`
}

export function join(work: Work, a: string, b: string): string {
  work.checkLength(a.length + b.length)
  return a + b
}

function concatenate(work: Work, a: Value, b: Value): Value | undefined {
  if (isText(a) && isText(b)) {
    const part = (value: string | Markup) => (value instanceof Markup ? value.text : escapeHtml(work, value))
    return new Markup(join(work, part(a), part(b)))
  }
  if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
    work.makeItems(a.items.length + b.items.length)
    const items = [...a.items, ...b.items]
    return a instanceof List ? new List(items) : new Tuple(items)
  }
  return undefined
}

function repeat(work: Work, a: Value, b: Value): Value | undefined {
  const [value, times] = isInt(a) ? [b, a] : [a, b]
  if (!isInt(times)) return undefined
  const count = Math.max(0, toIndex(times))
  if (isText(value)) {
    const text = value instanceof Markup ? value.text : value
    work.makeText(text.length * count)
    return value instanceof Markup ? new Markup(text.repeat(count)) : text.repeat(text === '' ? 0 : count)
  }
  if (!(value instanceof List || value instanceof Tuple)) return undefined
  work.makeItems(value.items.length * count)
  const items: Value[] = []
  if (value.items.length > 0) for (let i = 0; i < count; i++) items.push(...value.items)
  return value instanceof List ? new List(items) : new Tuple(items)
}

function formatPercent(work: Work, template: string | Markup, value: Value): Value {
  if (typeof template === 'string') return percentFormat(work, template, value)
  const escaped = (item: Value): Value =>
    typeof item === 'string' ? escapeHtml(work, item) : item instanceof Markup ? item.text : item
  const given = value instanceof Tuple ? new Tuple(value.items.map(escaped)) : escaped(value)
  return new Markup(percentFormat(work, template.text, given))
}

/** Python's `-value` and `+value`. */
export function unary(op: '-' | '+', value: Value): Value {
  if (value instanceof Undefined) throw value.fault()
  if (!isNumber(value)) throw typeError(`bad operand type for unary ${op}: '${typeName(value)}'`)
  if (op === '-') return negate(value)
  return value instanceof Float ? value : toInt(value)
}
