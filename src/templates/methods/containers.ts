import { Fault, typeError, valueError } from '../errors.ts'
import { binder } from '../values/arguments.ts'
import { dictGet, inRange, makeDict, same } from '../values/compare.ts'
import { toItems, wholeNumber } from '../values/inspect.ts'
import { isInt } from '../values/numbers.ts'
import { type Dict, DictView, Func, List, orElse, type Range, type Tuple, type Value } from '../values/objects.ts'
import type { Work } from '../work.ts'
import type { Method } from './text.ts'

function method<T>(
  name: string,
  form: string,
  body: (work: Work, self: T, ...args: (Value | undefined)[]) => Value,
): [string, Method<T>] {
  const bind = binder(name, form)
  return [name, (work, self, args, kwargs) => body(work, self, ...bind(args, kwargs))]
}

/** The methods of a dict that do not change it. */
export const dictMethods: ReadonlyMap<string, Method<Dict>> = new Map([
  method<Dict>('get', 'key default= /', (work, self, key, otherwise) =>
    orElse(dictGet(work, self, key!), () => otherwise ?? null),
  ),
  method<Dict>('items', '/', (_, self) => new DictView('dict_items', self)),
  method<Dict>('keys', '/', (_, self) => new DictView('dict_keys', self)),
  method<Dict>('values', '/', (_, self) => new DictView('dict_values', self)),
  method<Dict>('copy', '/', (work, self) => makeDict(work, self.entries.values())),
  method<Dict>('fromkeys', 'iterable value= /', (work, _, keys, value) => fromKeys(work, keys!, value)),
])

export function fromKeys(work: Work, keys: Value, value: Value | undefined): Dict {
  return makeDict(
    work,
    toItems(work, keys).map(key => [key, value ?? null] as const),
  )
}

function indexOf(work: Work, items: readonly Value[], type: string, args: (Value | undefined)[]): number {
  const [value, start, stop] = args
  const place = (at: Value | undefined, usual: number) => {
    if (at === undefined) return usual
    const index = wholeNumber(at)
    return index < 0 ? Math.max(0, index + items.length) : index
  }
  const end = Math.min(items.length, place(stop, items.length))
  for (let i = place(start, 0); i < end; i++) if (same(work, items[i]!, value!)) return i
  throw valueError(type === 'tuple' ? 'tuple.index(x): x not in tuple' : 'the value is not in the list')
}

function count(work: Work, items: readonly Value[], value: Value): number {
  return items.filter(item => same(work, item, value)).length
}

/** The methods of a list that do not change it. */
export const listMethods: ReadonlyMap<string, Method<List>> = new Map([
  method<List>('index', 'value start= stop= /', (work, self, ...args) => indexOf(work, self.items, 'list', args)),
  method<List>('count', 'value /', (work, self, value) => count(work, self.items, value!)),
  method<List>('copy', '/', (work, self) => {
    work.makeItems(self.items.length)
    return new List([...self.items])
  }),
])

export const tupleMethods: ReadonlyMap<string, Method<Tuple>> = new Map([
  method<Tuple>('index', 'value start= stop= /', (work, self, ...args) => indexOf(work, self.items, 'tuple', args)),
  method<Tuple>('count', 'value /', (work, self, value) => count(work, self.items, value!)),
])

/** An attribute or method of a range. */
export function rangeMember(range: Range, name: string): Value | undefined {
  if (name === 'start' || name === 'stop' || name === 'step') return range[name]
  if (name !== 'count' && name !== 'index') return undefined
  return new Func(name, (_, args) => {
    const value = args[0]
    if (args.length !== 1 || value === undefined) throw typeError(`range.${name}() takes exactly one argument`)
    const inside = isInt(value) && inRange(range, Number(value))
    if (name === 'count') return Number(inside)
    if (!inside) throw new Fault('ValueError', 'the value is not in range')
    return (Number(value) - range.start) / range.step
  })
}
