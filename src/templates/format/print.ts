import { typeError, valueError } from '../errors.ts'
import { MAX_NESTING } from '../values/compare.ts'
import { Loop } from '../values/loop.ts'
import {
  Dict,
  DictView,
  Float,
  Func,
  List,
  Markup,
  Namespace,
  Range,
  Tuple,
  Undefined,
  type Value,
} from '../values/objects.ts'
import type { Work } from '../work.ts'
import { floatRepr } from './float.ts'

/** Python's str(value). */
export function str(work: Work, value: Value): string {
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  if (value instanceof Undefined) return ''
  return repr(work, value)
}

/** Python's repr(value). */
export function repr(work: Work, value: Value): string {
  const out = new Writer(work)
  write(out, value, 0)
  return out.text
}

class Writer {
  readonly work: Work
  text = ''

  constructor(work: Work) {
    this.work = work
  }

  add(part: string): void {
    this.work.makeText(part.length)
    this.text += part
    this.work.checkLength(this.text.length)
  }
}

function write(out: Writer, value: Value, depth: number): void {
  if (depth > MAX_NESTING) throw typeError('a value nests too deeply to be printed')
  if (typeof value === 'string') out.add(quoted(out.work, value))
  else if (value === null) out.add('None')
  else if (typeof value === 'boolean') out.add(value ? 'True' : 'False')
  else if (typeof value === 'number') out.add(String(value))
  else if (typeof value === 'bigint') out.add(intText(out.work, value))
  else if (value instanceof Float) out.add(floatRepr(value.value))
  else if (value instanceof List) writeItems(out, '[', value.items, ']', depth)
  else if (value instanceof Tuple) writeItems(out, '(', value.items, value.items.length === 1 ? ',)' : ')', depth)
  else if (value instanceof Dict) writePairs(out, value.entries.values(), depth)
  else if (value instanceof Undefined) out.add('Undefined')
  else if (value instanceof Markup) out.add(`Markup(${quoted(out.work, value.text)})`)
  else if (value instanceof DictView) {
    out.add(`${value.type}(`)
    writeItems(out, '[', [...value.values()], '])', depth)
  } else if (value instanceof Range) {
    out.add(`range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`)
  } else if (value instanceof Namespace) {
    out.add('<Namespace ')
    writePairs(
      out,
      Array.from(value.attributes, ([name, inner]) => [name, inner] as const),
      depth,
    )
    out.add('>')
  } else if (value instanceof Loop) out.add(`<LoopContext ${value.index0 + 1}/${value.length}>`)
  else if (value instanceof Func && value.type === 'Macro') out.add(`<Macro ${quoted(out.work, value.name)}>`)
  // Python writes an address here, which no two runs share.
  else out.add(value instanceof Func ? `<${value.type} ${value.name}>` : `<${value.type} object>`)
}

function writeItems(out: Writer, open: string, items: readonly Value[], close: string, depth: number): void {
  out.add(open)
  items.forEach((item, i) => {
    if (i > 0) out.add(', ')
    write(out, item, depth + 1)
  })
  out.add(close)
}

function writePairs(out: Writer, pairs: Iterable<readonly [Value, Value]>, depth: number): void {
  let separator = '{'
  for (const [key, value] of pairs) {
    out.add(separator)
    write(out, key, depth + 1)
    out.add(': ')
    write(out, value, depth + 1)
    separator = ', '
  }
  out.add(separator === '{' ? '{}' : '}')
}

export function intText(work: Work, value: number | bigint): string {
  if (typeof value === 'number') return String(value)
  work.spend(10)
  const text = String(value)
  if (text.length > 4300 + (value < 0n ? 1 : 0)) {
    throw valueError('Exceeds the limit (4300 digits) for integer string conversion')
  }
  return text
}

const NEEDS_ESCAPE = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u
const ESCAPED = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/gu

/** A text in quotes, as repr writes it: single ones unless only these stand inside. */
function quoted(work: Work, text: string): string {
  work.walk(text.length)
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED, escapeCharacter) : text
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`
}

function escapeCharacter(character: string): string {
  if (character === ' ') return ' '
  if (character === '\\') return '\\\\'
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  return escapedCode(character.codePointAt(0)!)
}

export function escapedCode(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

/** Python's ascii(value). */
export function ascii(work: Work, value: Value): string {
  const text = repr(work, value)
  work.walk(text.length)
  const escaped = text.replace(/[^\0-\x7f]/gu, character => escapedCode(character.codePointAt(0)!))
  work.makeText(escaped.length)
  return escaped
}
