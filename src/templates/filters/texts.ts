import { Fault, typeError } from '../errors.ts'
import { escapeHtml } from '../format/html.ts'
import { type JsonForm, toJson } from '../format/json.ts'
import { percentFormat } from '../format/percent.ts'
import { pretty } from '../format/pretty.ts'
import { str } from '../format/print.ts'
import { fill } from '../methods/text.ts'
import { capitalize, lower, titleWords, upper } from '../methods/text-case.ts'
import { replaceText, splitText } from '../methods/text-parts.ts'
import { getAttribute } from '../values/attributes.ts'
import { makeDict } from '../values/compare.ts'
import { iter, len, textOf, truthy, typeName, wholeNumber } from '../values/inspect.ts'
import { isInt } from '../values/numbers.ts'
import { Dict, List, Markup, Tuple, Undefined, type Value } from '../values/objects.ts'
import { join as joinTexts } from '../values/operators.ts'
import { splitLines, strip, substring, textLength } from '../values/text.ts'
import { undefinedMember } from '../values/undefined.ts'
import type { Work } from '../work.ts'
import { attributeGetter } from './attributes.ts'
import { type Filter, filter } from './host.ts'
import { stripTags, urlEncode, xmlAttributes } from './web.ts'
import { wordCount, wrapText } from './words.ts'

function join(work: Work, value: Value, separator: Value, attribute: Value): string {
  const get = attribute === null ? undefined : attributeGetter(attribute)
  const between = str(work, separator)
  const source = iter(work, value)
  let result = ''
  let first = true
  for (let item = source.next(); item !== undefined; item = source.next()) {
    const text = str(work, get === undefined ? item : get(work, item))
    work.makeText(text.length + between.length)
    result = joinTexts(work, result, first ? text : between + text)
    first = false
  }
  return result
}

function indent(work: Work, value: Value, width: Value, first: boolean, blank: boolean): string {
  const text = textOf(value)
  if (text === undefined) {
    if (value instanceof Undefined) throw value.fault()
    throw typeError(`unsupported operand type(s) for +=: '${typeName(value)}' and 'str'`)
  }
  const blanks = textOf(width) ?? ' '.repeat(blankCount(work, width))
  const lines = splitLines(work, `${text}\n`, false)
  work.makeText(text.length + blanks.length * lines.length)
  const indented = lines.map((line, i) => (i > 0 && (blank || line !== '') ? blanks + line : line)).join('\n')
  return first ? blanks + indented : indented
}

function blankCount(work: Work, width: Value): number {
  if (!isInt(width)) throw typeError(`can't multiply sequence by non-int of type '${typeName(width)}'`)
  const count = Math.max(0, wholeNumber(width))
  work.makeText(count)
  return count
}

function truncate(work: Work, value: Value, length: Value, killWords: boolean, end: Value, leeway: Value): Value {
  const most = wholeNumber(length)
  const ending = textOf(end)
  if (ending === undefined) throw typeError(`object of type '${typeName(end)}' has no text`)
  const endLength = textLength(work, ending)
  const spare = leeway === null ? 5 : wholeNumber(leeway)
  if (most < endLength) throw new Fault('AssertionError', `expected length >= ${endLength}, got ${most}`)
  if (spare < 0) throw new Fault('AssertionError', `expected leeway >= 0, got ${spare}`)
  if (len(work, value) <= most + spare) return value
  const text = textOf(value)
  if (text === undefined) throw typeError(`a ${typeName(value)} cannot be truncated`)
  const cut = substring(work, text, 0, most - endLength)
  return (killWords ? cut : splitText(work, cut, ' ', 1, true)[0]!) + ending
}

function jsonForm(ascii: Value, indentBy: Value, separators: Value, sortKeys: Value): JsonForm {
  let indentText: string | undefined
  if (isInt(indentBy)) indentText = ' '.repeat(Math.min(100, Math.max(0, wholeNumber(indentBy))))
  else if (indentBy !== null) {
    indentText = textOf(indentBy)
    if (indentText === undefined) throw typeError(`can't multiply sequence by non-int of type '${typeName(indentBy)}'`)
  }
  let [item, key] = [indentText === undefined ? ', ' : ',', ': ']
  if (separators instanceof List || separators instanceof Tuple) {
    const given = separators.items.map(textOf)
    if (given.length !== 2 || given[0] === undefined || given[1] === undefined) {
      throw typeError('separators takes two texts')
    }
    ;[item, key] = given as [string, string]
  } else if (separators !== null) throw typeError('separators takes two texts')
  return {
    ascii: truthy(ascii),
    indent: indentText,
    itemSeparator: item,
    keySeparator: key,
    sortKeys: truthy(sortKeys),
  }
}

const flag = (value: Value | undefined) => value !== undefined && truthy(value)

/** The filters over texts. */
export const textFilters: readonly [string, Filter][] = [
  filter('string', '', ({ work }, value) => (value instanceof Markup ? value : str(work, value))),
  filter('upper', '', ({ work }, value) => upper(work, str(work, value))),
  filter('lower', '', ({ work }, value) => lower(work, str(work, value))),
  filter('capitalize', '', ({ work }, value) => capitalize(work, str(work, value))),
  filter('title', '', ({ work }, value) => titleWords(work, str(work, value))),
  filter('trim', 'chars=', ({ work }, value, chars = null) => {
    const wanted = chars === null ? null : textOf(chars)
    if (wanted === undefined) throw typeError(`strip arg must be None or str, not ${typeName(chars)}`)
    return strip(work, str(work, value), wanted)
  }),
  filter('replace', 'old new count=', ({ work }, value, old, to, count = null) => {
    const most = count === null ? -1 : wholeNumber(count)
    return replaceText(work, str(work, value), str(work, old!), str(work, to!), most)
  }),
  filter('join', 'd= attribute=', ({ work }, value, separator = '', attribute = null) =>
    join(work, value, separator, attribute),
  ),
  filter('indent', 'width= first= blank=', ({ work }, value, width = 4, first, blank) =>
    indent(work, value, width, flag(first), flag(blank)),
  ),
  filter('center', 'width=', ({ work }, value, width = 80) => fill(work, str(work, value), width, undefined, 'center')),
  filter(
    'truncate',
    'length= killwords= end= leeway=',
    ({ work }, value, length = 255, kill, end = '...', leeway = null) =>
      truncate(work, value, length, flag(kill), end, leeway),
  ),
  filter('wordcount', '', ({ work }, value) => wordCount(work, str(work, value))),
  filter(
    'wordwrap',
    'width= break_long_words= wrapstring= break_on_hyphens=',
    ({ work }, value, width = 79, breakLong = true, wrap = null, onHyphens = true) =>
      wrapText(work, value, wholeNumber(width), truthy(breakLong), wrap, truthy(onHyphens)),
  ),
  [
    'format',
    ({ work }, value, args, kwargs) => {
      if (args.length > 0 && kwargs.size > 0) {
        throw new Fault('FilterArgumentError', "can't handle positional and keyword arguments at the same time")
      }
      return percentFormat(work, str(work, value), kwargs.size > 0 ? makeDict(work, kwargs) : new Tuple(args))
    },
  ],
  filter('default', 'default_value= boolean=', (_, value, standard = '', boolean = false) =>
    value instanceof Undefined || (truthy(boolean) && !truthy(value)) ? standard : value,
  ),
  filter('attr', 'name', ({ work }, value, name) => {
    const text = textOf(name)
    if (text === undefined) throw typeError('attribute name must be string')
    if (value instanceof Undefined) throw value.fault()
    // Only attributes: an item of this name does not count.
    if (value instanceof Dict && value.entries.has(text)) {
      const plain = getAttribute(work, new Dict(new Map()), text)
      return plain instanceof Undefined ? undefinedMember(value, text) : getAttribute(work, value, text)
    }
    return getAttribute(work, value, text)
  }),
  filter('tojson', 'ensure_ascii= indent= separators= sort_keys=', ({ work }, value, ascii, by, separators, sort) =>
    toJson(work, value, jsonForm(ascii ?? false, by ?? null, separators ?? null, sort ?? false)),
  ),
  filter('pprint', '', ({ work }, value) => pretty(work, value)),
  filter('safe', '', ({ work }, value) => new Markup(str(work, value))),
  filter('escape', '', ({ work }, value) =>
    value instanceof Markup ? value : new Markup(escapeHtml(work, str(work, value))),
  ),
  filter('forceescape', '', ({ work }, value) => new Markup(escapeHtml(work, str(work, value)))),
  filter('striptags', '', ({ work }, value) => stripTags(work, str(work, value))),
  filter('urlencode', '', ({ work }, value) => urlEncode(work, value)),
  filter('xmlattr', 'autospace=', ({ work }, value, space = true) => xmlAttributes(work, value, truthy(space))),
  filter('urlize', '', () => {
    throw new Fault('FilterArgumentError', 'latentkit has no filter "urlize": it is for web pages')
  }),
]
