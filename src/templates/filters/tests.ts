import { typeError } from '../errors.ts'
import { str } from '../format/print.ts'
import { isLower, isUpper } from '../methods/text-case.ts'
import { isCallable } from '../values/attributes.ts'
import { compare, contains, dictKey, equal } from '../values/compare.ts'
import { isText, iterate, lengthOf, truthy } from '../values/inspect.ts'
import { isInt, isNumber } from '../values/numbers.ts'
import type { Kwargs } from '../values/objects.ts'
import { Dict, Float, Iter, Markup, Undefined, type Value } from '../values/objects.ts'
import { binary } from '../values/operators.ts'
import type { Work } from '../work.ts'
import { type Filter, filter, type Host } from './host.ts'
import { filters } from './index.ts'

type Test = (host: Host, value: Value, args: readonly Value[], kwargs: Kwargs) => boolean

function test(
  name: string,
  form: string,
  body: (work: Work, value: Value, ...args: (Value | undefined)[]) => boolean,
): [string, Test] {
  const [, bound]: [string, Filter] = filter(name, form, ({ work }, value, ...args) => body(work, value, ...args))
  return [name, (host, value, args, kwargs) => truthy(bound(host, value, args, kwargs))]
}

function remainder(work: Work, value: Value, by: Value): Value {
  // A text in front of % would be a format.
  if (isText(value)) throw typeError('not all arguments converted during string formatting')
  return binary(work, '%', value, by)
}

/** Whether two values are one object. Equal texts and small numbers mostly are one in Python too. */
function isSame(work: Work, a: Value, b: Value): boolean {
  return typeof a === 'string' ? equal(work, a, b) : a === b
}

const order = (names: readonly string[], op: string, holds: (order: number) => boolean): [string, Test][] =>
  names.map(name => test(name, 'other /', (work, value, other) => holds(compare(work, value, other!, op))))

const alias = (names: readonly string[], body: (work: Work, value: Value, other: Value) => boolean): [string, Test][] =>
  names.map(name => test(name, 'other /', (work, value, other) => body(work, value, other!)))

/** The tests behind `is`. */
export const tests: ReadonlyMap<string, Test> = new Map<string, Test>([
  test('odd', '', (work, value) => equal(work, remainder(work, value, 2), 1)),
  test('even', '', (work, value) => equal(work, remainder(work, value, 2), 0)),
  test('divisibleby', 'num', (work, value, by) => equal(work, remainder(work, value, by!), 0)),
  test('defined', '', (_, value) => !(value instanceof Undefined)),
  test('undefined', '', (_, value) => value instanceof Undefined),
  test('none', '', (_, value) => value === null),
  test('boolean', '', (_, value) => typeof value === 'boolean'),
  test('false', '', (_, value) => value === false),
  test('true', '', (_, value) => value === true),
  test('integer', '', (_, value) => isInt(value) && typeof value !== 'boolean'),
  test('float', '', (_, value) => value instanceof Float),
  test('number', '', (_, value) => isNumber(value)),
  test('string', '', (_, value) => isText(value)),
  test('mapping', '', (_, value) => value instanceof Dict),
  test('sequence', '', (work, value) => lengthOf(work, value) !== undefined && hasItems(value)),
  test('iterable', '', (work, value) => value instanceof Iter || iterate(work, value) !== undefined),
  test('callable', '', (_, value) => isCallable(value)),
  test('escaped', '', (_, value) => value instanceof Markup),
  test('lower', '', (work, value) => isLower(walked(work, value))),
  test('upper', '', (work, value) => isUpper(walked(work, value))),
  test('sameas', 'other', (work, value, other) => isSame(work, value, other!)),
  test('in', 'seq', (work, value, container) => contains(work, container!, value)),
  test('filter', '', (work, value) => filters.has(dictKey(work, value) as string)),
  test('test', '', (work, value) => testNames().has(dictKey(work, value) as string)),
  ...alias(['==', 'eq', 'equalto'], (work, value, other) => equal(work, value, other)),
  ...alias(['!=', 'ne'], (work, value, other) => !equal(work, value, other)),
  ...order(['<', 'lt', 'lessthan'], '<', found => found < 0),
  ...order(['<=', 'le'], '<=', found => found <= 0),
  ...order(['>', 'gt', 'greaterthan'], '>', found => found > 0),
  ...order(['>=', 'ge'], '>=', found => found >= 0),
])

function testNames(): ReadonlyMap<string, Test> {
  return tests
}

function walked(work: Work, value: Value): string {
  const text = str(work, value)
  work.walk(text.length)
  return text
}

/** Views and loops have a length, but no items by position. */
function hasItems(value: Value): boolean {
  return !(
    typeof value === 'object' &&
    value !== null &&
    (value.type.startsWith('dict_') || value.type === 'LoopContext')
  )
}
