import { Fault, valueError } from '../errors.ts'
import { escapeHtml } from '../format/html.ts'
import { str } from '../format/print.ts'
import { splitWords } from '../methods/text-parts.ts'
import { iter, iterate, textOf, toItems, typeName } from '../values/inspect.ts'
import { Dict, DictView, Undefined, type Value } from '../values/objects.ts'
import { join } from '../values/operators.ts'
import { find } from '../values/search.ts'
import { quotedName } from '../values/undefined.ts'
import type { Work } from '../work.ts'

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\xa0' }

/** Without comments, tags and runs of blanks; entities as the characters they name. */
export function stripTags(work: Work, text: string): string {
  const bare = without(work, without(work, text, '<!--', '-->'), '<', '>')
  const joined = splitWords(work, bare, -1, false).join(' ')
  work.walk(joined.length)
  return joined.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name] ?? whole
    const code = Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
  })
}

function without(work: Work, text: string, open: string, close: string): string {
  let result = ''
  let at = 0
  for (;;) {
    const start = find(work, text, open, at)
    const end = start < 0 ? -1 : find(work, text, close, start)
    if (end < 0) return result + text.slice(at)
    result += text.slice(at, start)
    at = end + close.length
  }
}

function quoteUrl(work: Work, text: string, forQuery: boolean): string {
  work.walk(text.length * 3)
  let encoded: string
  try {
    encoded = encodeURIComponent(text)
  } catch {
    throw valueError("'utf-8' codec can't encode a surrogate")
  }
  encoded = encoded.replace(/[!'()*]/g, unit => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`)
  const quoted = forQuery ? encoded.replaceAll('%20', '+') : encoded.replaceAll('%2F', '/')
  work.makeText(quoted.length)
  return quoted
}

export function urlEncode(work: Work, value: Value): string {
  const text = textOf(value)
  if (text !== undefined) return quoteUrl(work, text, false)
  const pairs = value instanceof Dict ? new DictView('dict_items', value) : value
  const source = iterate(work, pairs)
  if (source === undefined) return quoteUrl(work, str(work, value), false)
  let result = ''
  for (let pair = source.next(); pair !== undefined; pair = source.next()) {
    const parts = toItems(work, pair)
    if (parts.length !== 2) throw valueError(`a pair is wanted, not ${parts.length} values`)
    const [key, item] = parts.map(part => quoteUrl(work, str(work, part), true))
    result = join(work, result, `${result === '' ? '' : '&'}${key}=${item}`)
  }
  return result
}

export function xmlAttributes(work: Work, value: Value, space: boolean): string {
  if (value instanceof Undefined) throw value.fault()
  if (!(value instanceof Dict))
    throw new Fault('AttributeError', `'${typeName(value)}' object has no attribute 'items'`)
  let result = ''
  const source = iter(work, new DictView('dict_items', value))
  for (let pair = source.next(); pair !== undefined; pair = source.next()) {
    const [key, item] = toItems(work, pair) as [Value, Value]
    if (item === null || item instanceof Undefined) continue
    const name = textOf(key)
    if (name === undefined) throw new Fault('TypeError', `expected string, got ${quotedName(typeName(key))}`)
    if (/[ \t\n\r\f\v/>=]/.test(name)) throw valueError(`Invalid character in attribute name: ${quotedName(name)}`)
    const part = `${escapeHtml(work, name)}="${escapeHtml(work, str(work, item))}"`
    result = join(work, result, result === '' ? part : ` ${part}`)
  }
  return space && result !== '' ? ` ${result}` : result
}
