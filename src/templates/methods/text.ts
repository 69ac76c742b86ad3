import { typeError, valueError } from '../errors.ts'
import { binder } from '../values/arguments.ts'
import { iter, textOf, truthy, typeName, wholeNumber } from '../values/inspect.ts'
import { Dict, type Kwargs, List, Tuple, Undefined, type Value } from '../values/objects.ts'
import { find, findLast } from '../values/search.ts'
import { countText, hasSurrogates, positionOf, splitLines, strip, textLength, unitOf } from '../values/text.ts'
import { foldCase, IS } from '../values/unicode.ts'
import type { Work } from '../work.ts'
import { capitalize, expandTabs, isLower, isTitle, isUpper, lower, swapCase, title, upper } from './text-case.ts'
import { replaceText, splitText, splitWords } from './text-parts.ts'

export type Method<T> = (work: Work, self: T, args: readonly Value[], kwargs: Kwargs) => Value

type Body = (work: Work, self: string, ...args: (Value | undefined)[]) => Value

function method(name: string, form: string, body: Body): [string, Method<string>] {
  const bind = binder(name, form)
  return [name, (work, self, args, kwargs) => body(work, self, ...bind(args, kwargs))]
}

/** An argument that must be a text. */
function needText(value: Value | undefined, what = 'a str'): string {
  const text = textOf(value)
  if (text !== undefined) return text
  throw typeError(`expected ${what}, not ${typeName(value ?? null)}`)
}

/** An argument that may be None and else is a text. */
function textOrNone(value: Value | undefined, what: string): string | null {
  return value === undefined || value === null ? null : needText(value, what)
}

/** The units between two positions that count from the end where they are negative. */
function window(work: Work, self: string, start: Value | undefined, end: Value | undefined): [number, number] {
  if ((start ?? null) === null && (end ?? null) === null) return [0, self.length]
  const length = textLength(work, self)
  const place = (value: Value | undefined, usual: number) => {
    if (value === undefined || value === null) return usual
    const at = wholeNumber(value)
    return Math.min(length, Math.max(0, at < 0 ? at + length : at))
  }
  const first = start === undefined || start === null ? 0 : wholeNumber(start)
  const [from, to] = [place(start, 0), place(end, length)]
  // Beyond the end not even the empty text is found.
  if (first > length || from > to) return [1, 0]
  if (!hasSurrogates(self)) return [from, to]
  work.walk(self.length)
  return [unitOf(self, from), unitOf(self, to)]
}

function search(
  work: Work,
  self: string,
  part: Value,
  start: Value | undefined,
  end: Value | undefined,
  last: boolean,
) {
  const wanted = needText(part)
  const [from, to] = window(work, self, start, end)
  if (from > to) return -1
  const found = last
    ? findLast(work, self, wanted, to)
    : find(work, to < self.length ? self.slice(0, to) : self, wanted, from)
  return found < from ? -1 : positionOf(work, self, found)
}

function affix(
  work: Work,
  self: string,
  parts: Value,
  start: Value | undefined,
  end: Value | undefined,
  atEnd: boolean,
) {
  const [from, to] = window(work, self, start, end)
  const list = parts instanceof Tuple ? parts.items : [parts]
  return list.some(part => {
    const name = atEnd ? 'endswith' : 'startswith'
    const wanted = textOf(part)
    if (wanted === undefined) {
      throw typeError(`${name} first arg must be str or a tuple of str, not ${typeName(part)}`)
    }
    work.scan(wanted.length)
    if (from > to || wanted.length > to - from) return false
    return atEnd ? self.endsWith(wanted, to) : self.startsWith(wanted, from)
  })
}

function found(position: number): number {
  if (position < 0) throw valueError('substring not found')
  return position
}

function partition(work: Work, self: string, separator: Value, last: boolean): Tuple {
  const wanted = needText(separator)
  if (wanted === '') throw valueError('empty separator')
  const at = last ? findLast(work, self, wanted, self.length) : find(work, self, wanted, 0)
  if (at < 0) return new Tuple(last ? ['', '', self] : [self, '', ''])
  return new Tuple([self.slice(0, at), wanted, self.slice(at + wanted.length)])
}

/** Fills up to a width; `left` says how much of what is missing goes before the text. */
export function fill(
  work: Work,
  self: string,
  width: Value,
  fillWith: Value | undefined,
  side: 'left' | 'right' | 'center',
): string {
  const wide = wholeNumber(width)
  const filler = fillWith === undefined ? ' ' : needText(fillWith)
  if (textLength(work, filler) !== 1) throw typeError('The fill character must be exactly one character long')
  const missing = wide - textLength(work, self)
  if (missing <= 0) return self
  work.makeText(self.length + missing * filler.length)
  const before = side === 'left' ? missing : side === 'right' ? 0 : (missing >> 1) + (missing & wide & 1)
  return filler.repeat(before) + self + filler.repeat(missing - before)
}

function zfill(work: Work, self: string, width: Value): string {
  const sign = /^[+-]/.test(self) ? self[0]! : ''
  const missing = wholeNumber(width) - textLength(work, self)
  if (missing <= 0) return self
  work.makeText(self.length + missing)
  return sign + '0'.repeat(missing) + self.slice(sign.length)
}

function joinText(work: Work, separator: string, items: Value): string {
  const source = iter(work, items)
  let result = ''
  let i = 0
  for (let item = source.next(); item !== undefined; item = source.next(), i++) {
    const text = textOf(item)
    if (text === undefined) throw typeError(`sequence item ${i}: expected str instance, ${typeName(item)} found`)
    work.makeText(text.length + separator.length)
    result += i === 0 ? text : separator + text
    work.checkLength(result.length)
  }
  return result
}

function translate(work: Work, self: string, table: Value): string {
  if (!(table instanceof Dict)) throw typeError(`'${typeName(table)}' object is not a table of characters`)
  work.walk(self.length)
  let result = ''
  for (const character of self) {
    work.spend(1)
    const to = table.entries.get(character.codePointAt(0)!)?.[1]
    if (to === undefined) result += character
    else if (typeof to === 'number') result += String.fromCodePoint(to)
    else if (to !== null) result += needText(to)
    work.checkLength(result.length)
  }
  return result
}

const is = (name: string, test: (self: string) => boolean): [string, Method<string>] =>
  method(name, '/', (work, self) => {
    work.walk(self.length)
    return test(self)
  })

/** The methods of a str, without format() and format_map(), which read other values. */
export const strMethods: ReadonlyMap<string, Method<string>> = new Map([
  method('strip', 'chars= /', (work, self, chars) => strip(work, self, textOrNone(chars, 'None or str'))),
  method('lstrip', 'chars= /', (work, self, chars) => strip(work, self, textOrNone(chars, 'None or str'), 'left')),
  method('rstrip', 'chars= /', (work, self, chars) => strip(work, self, textOrNone(chars, 'None or str'), 'right')),
  method('split', 'sep= maxsplit=', (work, self, sep, most) => splitBy(work, self, sep, most, false)),
  method('rsplit', 'sep= maxsplit=', (work, self, sep, most) => splitBy(work, self, sep, most, true)),
  method('splitlines', 'keepends=', (work, self, keep) => new List(splitLines(work, self, truthy(keep ?? false)))),
  method('partition', 'sep /', (work, self, sep) => partition(work, self, sep!, false)),
  method('rpartition', 'sep /', (work, self, sep) => partition(work, self, sep!, true)),
  method('removeprefix', 'prefix /', (work, self, prefix) =>
    affix(work, self, needText(prefix), null, null, false) ? self.slice(needText(prefix).length) : self,
  ),
  method('removesuffix', 'suffix /', (work, self, suffix) => {
    const end = needText(suffix)
    return end !== '' && affix(work, self, end, null, null, true) ? self.slice(0, -end.length) : self
  }),
  method('startswith', 'prefix start= end= /', (work, self, prefix, start, end) =>
    affix(work, self, prefix!, start, end, false),
  ),
  method('endswith', 'suffix start= end= /', (work, self, suffix, start, end) =>
    affix(work, self, suffix!, start, end, true),
  ),
  method('find', 'sub start= end= /', (work, self, sub, start, end) => search(work, self, sub!, start, end, false)),
  method('rfind', 'sub start= end= /', (work, self, sub, start, end) => search(work, self, sub!, start, end, true)),
  method('index', 'sub start= end= /', (work, self, sub, start, end) =>
    found(search(work, self, sub!, start, end, false)),
  ),
  method('rindex', 'sub start= end= /', (work, self, sub, start, end) =>
    found(search(work, self, sub!, start, end, true)),
  ),
  method('count', 'sub start= end= /', (work, self, sub, start, end) => {
    const part = needText(sub)
    const [from, to] = window(work, self, start, end)
    if (from > to) return 0
    const within = self.slice(from, to)
    return part === '' ? textLength(work, within) + 1 : countText(work, within, part)
  }),
  method('replace', 'old new count= /', (work, self, old, to, count) =>
    replaceText(work, self, needText(old), needText(to), count === undefined ? -1 : wholeNumber(count)),
  ),
  method('upper', '/', upper),
  method('lower', '/', lower),
  method('title', '/', title),
  method('capitalize', '/', capitalize),
  method('swapcase', '/', swapCase),
  method('casefold', '/', (work, self) => {
    work.walk(self.length)
    work.walk(self.length)
    return foldCase(self)
  }),
  method('center', 'width fillchar= /', (work, self, width, by) => fill(work, self, width!, by, 'center')),
  method('ljust', 'width fillchar= /', (work, self, width, by) => fill(work, self, width!, by, 'right')),
  method('rjust', 'width fillchar= /', (work, self, width, by) => fill(work, self, width!, by, 'left')),
  method('zfill', 'width /', (work, self, width) => zfill(work, self, width!)),
  method('expandtabs', 'tabsize=', (work, self, size) => expandTabs(work, self, wholeNumber(size ?? 8))),
  method('join', 'iterable /', (work, self, items) => joinText(work, self, items!)),
  method('translate', 'table /', (work, self, table) => translate(work, self, table!)),
  method('encode', 'encoding= errors=', () => {
    throw typeError('latentkit gives templates no bytes, so a text cannot be encoded')
  }),
  is('isalpha', self => IS.alpha.test(self)),
  is('isdecimal', self => IS.decimal.test(self)),
  is('isdigit', self => IS.digit.test(self)),
  is('isnumeric', self => IS.numeric.test(self)),
  is('isalnum', self => IS.alnum.test(self)),
  is('isspace', self => IS.space.test(self)),
  is('isidentifier', self => IS.identifier.test(self.normalize('NFKC'))),
  is('isprintable', self => !IS.unprintable.test(self.replaceAll(' ', ''))),
  is('isascii', self => !/[^\0-\x7f]/.test(self)),
  is('islower', isLower),
  is('isupper', isUpper),
  is('istitle', isTitle),
])

function splitBy(
  work: Work,
  self: string,
  separator: Value | undefined,
  most: Value | undefined,
  fromRight: boolean,
): List {
  if (separator instanceof Undefined) throw typeError('must be str or None, not Undefined')
  const limit = most === undefined ? -1 : wholeNumber(most)
  const by = textOrNone(separator, 'str or None')
  return new List(by === null ? splitWords(work, self, limit, fromRight) : splitText(work, self, by, limit, fromRight))
}
