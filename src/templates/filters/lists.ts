import { Fault, typeError } from '../errors.ts'
import { compare, dictKey, equal } from '../values/compare.ts'
import { isText, iter, len, over, overItems, toItems, truthy, typeName, wholeNumber } from '../values/inspect.ts'
import { arithmetic, isNumber } from '../values/numbers.ts'
import { Dict, DictView, Float, Iter, List, orElse, Range, Tuple, Undefined, type Value } from '../values/objects.ts'
import { binary } from '../values/operators.ts'
import { sortItems } from '../values/sort.ts'
import { characters } from '../values/text.ts'
import { undefinedBecause } from '../values/undefined.ts'
import type { Work } from '../work.ts'
import { attributeGetter, attributesGetter, ignoreCase, keyed } from './attributes.ts'
import { type Filter, filter, type Host } from './host.ts'

const truthyOr = (value: Value | undefined, standard: boolean) => (value === undefined ? standard : truthy(value))

function sorted<T>(work: Work, items: readonly T[], key: (item: T) => Value, reverse: boolean): T[] {
  return sortItems(items, (a, b) => (reverse ? compare(work, key(b), key(a)) : compare(work, key(a), key(b))))
}

function dictsort(work: Work, value: Value, caseSensitive: boolean, by: Value, reverse: boolean): Value {
  if (by !== 'key' && by !== 'value') {
    throw new Fault('FilterArgumentError', 'You can only sort by either "key" or "value"')
  }
  if (value instanceof Undefined) throw value.fault()
  if (!(value instanceof Dict))
    throw new Fault('AttributeError', `'${typeName(value)}' object has no attribute 'items'`)
  const finish = ignoreCase(caseSensitive)
  const items = toItems(work, new DictView('dict_items', value)) as readonly Tuple[]
  const pairs = items.map(item => ({ item, key: finish(work, item.items[by === 'key' ? 0 : 1]!) }))
  return new List(sorted(work, pairs, pair => pair.key, reverse).map(pair => pair.item))
}

function* unique(work: Work, value: Value, caseSensitive: boolean, attribute: Value): Generator<Value> {
  const key = attributeGetter(attribute, ignoreCase(caseSensitive))
  const seen = new Set()
  const source = iter(work, value)
  for (let item = source.next(); item !== undefined; item = source.next()) {
    const form = dictKey(work, key(work, item))
    if (seen.has(form)) continue
    seen.add(form)
    yield item
  }
}

function extreme(sign: 1 | -1) {
  return ({ work }: Host, value: Value, caseSensitive?: Value, attribute: Value = null): Value => {
    const source = iter(work, value)
    const key = attributeGetter(attribute, ignoreCase(truthyOr(caseSensitive, false)))
    let best = source.next()
    if (best === undefined) return undefinedBecause('No aggregated item, sequence was empty.')
    let bestKey = key(work, best)
    for (let item = source.next(); item !== undefined; item = source.next()) {
      const itemKey = key(work, item)
      if (sign * compare(work, itemKey, bestKey, sign > 0 ? '>' : '<') <= 0) continue
      best = item
      bestKey = itemKey
    }
    return best
  }
}

function groupby(work: Work, value: Value, attribute: Value, standard: Value, caseSensitive: boolean): Value {
  const items = keyed(work, value, attributeGetter(attribute, ignoreCase(caseSensitive), standard))
  const groups: { key: Value; items: Value[] }[] = []
  for (const { item, key } of sorted(work, items, pair => pair.key, false)) {
    const last = groups.at(-1)
    if (last !== undefined && equal(work, last.key, key)) last.items.push(item)
    else groups.push({ key, items: [item] })
  }
  const real = attributeGetter(attribute, undefined, standard)
  return new List(
    groups.map(({ key, items: members }) => {
      const grouper = caseSensitive ? key : real(work, members[0]!)
      return new Tuple([grouper, new List(members)], ['grouper', 'list'])
    }),
  )
}

function* batch(work: Work, value: Value, count: number, fillWith: Value): Generator<Value> {
  let items: Value[] = []
  const source = iter(work, value)
  for (let item = source.next(); item !== undefined; item = source.next()) {
    if (items.length === count) {
      yield new List(items)
      items = []
    }
    items.push(item)
  }
  if (items.length === 0) return
  if (fillWith !== null && items.length < count) {
    work.makeItems(count)
    while (items.length < count) items.push(fillWith)
  }
  yield new List(items)
}

function* slices(work: Work, value: Value, count: number, fillWith: Value): Generator<Value> {
  const items = toItems(work, value)
  if (count === 0) throw new Fault('ZeroDivisionError', 'integer division or modulo by zero')
  const size = Math.floor(items.length / count)
  const extra = items.length - size * count
  let start = 0
  for (let i = 0; i < count; i++) {
    const end = start + size + (i < extra ? 1 : 0)
    const part = items.slice(start, end)
    if (fillWith !== null && i >= extra) part.push(fillWith)
    work.makeItems(part.length)
    yield new List(part)
    start = end
  }
}

function reverse(work: Work, value: Value): Value {
  if (typeof value === 'string') return characters(work, value).reverse().join('')
  if (value instanceof List || value instanceof Tuple || value instanceof Range || value instanceof Undefined) {
    const items = [...toItems(work, value)].reverse()
    return overItems(work, items, value instanceof List ? 'list_reverseiterator' : 'reversed')
  }
  if (value instanceof Dict || value instanceof DictView) {
    return overItems(work, [...toItems(work, value)].reverse(), 'dict_reverseiterator')
  }
  try {
    return new List([...toItems(work, value)].reverse())
  } catch (error) {
    if (error instanceof Fault && error.kind === 'TypeError') {
      throw new Fault('FilterArgumentError', 'argument must be iterable')
    }
    throw error
  }
}

function last(work: Work, value: Value): Value {
  if (value instanceof Iter) throw typeError(`'${value.type}' object is not reversible`)
  if (!isReversible(value)) throw typeError(`'${typeName(value)}' object is not reversible`)
  return orElse(toItems(work, value).at(-1), () => undefinedBecause('No last item, sequence was empty.'))
}

function isReversible(value: Value): boolean {
  const types = [List, Tuple, Dict, DictView, Range, Undefined]
  return isText(value) || types.some(type => value instanceof type)
}

function sum(work: Work, value: Value, attribute: Value, start: Value): Value {
  if (typeof start === 'string') throw typeError("sum() can't sum strings [use ''.join(seq) instead]")
  const get = attribute === null ? undefined : attributeGetter(attribute)
  const source = iter(work, value)
  let total: Value = start
  for (let item = source.next(); item !== undefined; item = source.next()) {
    const part = get === undefined ? item : get(work, item)
    total = isNumber(total) && isNumber(part) ? arithmetic(work, '+', total, part) : binary(work, '+', total, part)
  }
  return total
}

/** The filters over lists and mappings. */
export const listFilters: readonly [string, Filter][] = [
  filter('length', '', ({ work }, value) => len(work, value)),
  filter('count', '', ({ work }, value) => len(work, value)),
  filter('list', '', ({ work }, value) => new List([...toItems(work, value)])),
  filter('first', '', ({ work }, value) =>
    orElse(iter(work, value).next(), () => undefinedBecause('No first item, sequence was empty.')),
  ),
  filter('last', '', ({ work }, value) => last(work, value)),
  filter('reverse', '', ({ work }, value) => reverse(work, value)),
  filter('sort', 'reverse= case_sensitive= attribute=', ({ work }, value, back, caseSensitive, attribute = null) => {
    const items = keyed(work, value, attributesGetter(attribute, ignoreCase(truthyOr(caseSensitive, false))))
    return new List(sorted(work, items, pair => pair.key, truthyOr(back, false)).map(pair => pair.item))
  }),
  filter('dictsort', 'case_sensitive= by= reverse=', ({ work }, value, caseSensitive, by = 'key', back) =>
    dictsort(work, value, truthyOr(caseSensitive, false), by, truthyOr(back, false)),
  ),
  filter('unique', 'case_sensitive= attribute=', ({ work }, value, caseSensitive, attribute = null) =>
    over(work, unique(work, value, truthyOr(caseSensitive, false), attribute)),
  ),
  filter('min', 'case_sensitive= attribute=', extreme(-1)),
  filter('max', 'case_sensitive= attribute=', extreme(1)),
  filter(
    'groupby',
    'attribute default= case_sensitive=',
    ({ work }, value, attribute, standard = null, caseSensitive) =>
      groupby(work, value, attribute!, standard, truthyOr(caseSensitive, false)),
  ),
  filter('batch', 'linecount fill_with=', ({ work }, value, count, fillWith = null) =>
    over(work, batch(work, value, wholeOrNever(count!), fillWith)),
  ),
  filter('slice', 'slices fill_with=', ({ work }, value, count, fillWith = null) =>
    over(work, slices(work, value, wholeNumber(count!), fillWith)),
  ),
  filter('sum', 'attribute= start=', ({ work }, value, attribute = null, start = 0) =>
    sum(work, value, attribute, start),
  ),
  filter('items', '', ({ work }, value) => {
    if (value instanceof Undefined) return new Iter('generator', () => undefined)
    if (!(value instanceof Dict)) return failing('Can only get item pairs from a mapping.')
    return over(work, new DictView('dict_items', value).values())
  }),
  filter('random', '', () => {
    throw new Fault('FilterArgumentError', 'latentkit has no filter "random": a prompt must be the same every time')
  }),
]

/** A count that a list's length is compared with: what is no number is never reached. */
function wholeOrNever(value: Value): number {
  return value instanceof Float ? value.value : isNumber(value) ? wholeNumber(value) : Number.NaN
}

/** A generator of Python's: what is wrong shows when it is first asked. */
function failing(message: string): Iter {
  return new Iter('generator', () => {
    throw typeError(message)
  })
}
