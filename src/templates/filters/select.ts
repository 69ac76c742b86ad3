import { Fault } from '../errors.ts'
import { iter, over, textOf, truthy } from '../values/inspect.ts'
import type { Kwargs, Value } from '../values/objects.ts'
import { quotedName } from '../values/undefined.ts'
import { attributeGetter } from './attributes.ts'
import type { Filter, Host } from './host.ts'

type Each = (item: Value) => Value

function eachOf(host: Host, args: readonly Value[], kwargs: Kwargs): Each {
  if (args.length === 0 && kwargs.has('attribute')) {
    const other = [...kwargs.keys()].find(key => key !== 'attribute' && key !== 'default')
    if (other !== undefined) throw new Fault('FilterArgumentError', `Unexpected keyword argument ${quotedName(other)}`)
    const get = attributeGetter(kwargs.get('attribute')!, undefined, kwargs.get('default') ?? null)
    return item => get(host.work, item)
  }
  const [name, ...rest] = args
  if (name === undefined) throw new Fault('FilterArgumentError', 'map requires a filter argument')
  return item => host.filter(textOf(name) ?? '', item, rest, kwargs)
}

function* map(host: Host, value: Value, args: readonly Value[], kwargs: Kwargs): Generator<Value> {
  if (!truthy(value)) return
  const each = eachOf(host, args, kwargs)
  const source = iter(host.work, value)
  for (let item = source.next(); item !== undefined; item = source.next()) yield each(item)
}

function* select(
  host: Host,
  value: Value,
  args: readonly Value[],
  kwargs: Kwargs,
  wanted: boolean,
  byAttribute: boolean,
): Generator<Value> {
  if (!truthy(value)) return
  if (byAttribute && args.length === 0) {
    throw new Fault('FilterArgumentError', 'Missing parameter for attribute name')
  }
  const get = byAttribute ? attributeGetter(args[0]!) : undefined
  const [name, ...rest] = byAttribute ? args.slice(1) : args
  const source = iter(host.work, value)
  for (let item = source.next(); item !== undefined; item = source.next()) {
    const tested = get === undefined ? item : get(host.work, item)
    const holds = name === undefined ? truthy(tested) : host.test(textOf(name) ?? '', tested, rest, kwargs)
    if (holds === wanted) yield item
  }
}

const selector =
  (wanted: boolean, byAttribute: boolean): Filter =>
  (host, value, args, kwargs) =>
    over(host.work, select(host, value, args, kwargs, wanted, byAttribute))

/** The filters that take a filter or a test by its name. */
export const selectFilters: readonly [string, Filter][] = [
  ['map', (host, value, args, kwargs) => over(host.work, map(host, value, args, kwargs))],
  ['select', selector(true, false)],
  ['reject', selector(false, false)],
  ['selectattr', selector(true, true)],
  ['rejectattr', selector(false, true)],
]
