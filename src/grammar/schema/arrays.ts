import { any, type HeldObject, type HeldSchema, isObject, otherThan } from './json-schema.ts'
import { below, count, refusal, refuseBesides, type SchemaHolder, type Use } from './use.ts'

type Fields = { readonly [keyword: string]: unknown }

/** The keywords of lists. */
export function holdArrays(holder: SchemaHolder, schema: Fields, use: Use): Record<string, unknown> {
  const { path } = use
  const held: Record<string, unknown> = {}
  const min = count(schema, 'minItems', path)
  const max = count(schema, 'maxItems', path)
  if (schema.uniqueItems !== undefined && typeof schema.uniqueItems !== 'boolean') {
    throw refusal(path, 'uniqueItems', `is ${JSON.stringify(schema.uniqueItems)}; expected true or false`)
  }
  if (schema.uniqueItems === true && !((max ?? 2) <= 1)) {
    if (holder.uniqueItems === 'kept') {
      held.uniqueItems = true
      if (valuesOf(schema) < (min ?? 0)) held.allOf = [otherThan('array', schema.type)]
    } else held.allOf = [distinct(schema, path, min ?? 0, max ?? Number.POSITIVE_INFINITY)]
  }
  const more: HeldSchema[] = (held.allOf as HeldSchema[] | undefined) ?? []
  if (schema.contains !== undefined) more.push(...containing(holder, schema, use))
  if (more.length > 0) held.allOf = more
  // Drafts before 2020 have a list of schemas in `items`, and what follows it in `additionalItems`.
  const listed = Array.isArray(schema.items)
  const prefix = listed ? schema.items : schema.prefixItems
  const prefixName = listed ? 'items' : 'prefixItems'
  let rest = listed ? schema.additionalItems : schema.items
  const restName = listed ? 'additionalItems' : 'items'
  if (prefix !== undefined) {
    if (!Array.isArray(prefix)) throw refusal(path, prefixName, 'is no list of schemas')
    held.prefixItems = prefix.map((item, i) => holder.hold(item, below(use, `${prefixName}/${i}`)))
  }
  if (schema.unevaluatedItems !== undefined && schema.unevaluatedItems !== true && rest === undefined) {
    refuseBesides(schema, path, 'unevaluatedItems')
    rest = schema.unevaluatedItems
  }
  if (rest !== undefined) held.items = holder.hold(rest, below(use, restName))
  if (min !== undefined) held.minItems = min
  if (max !== undefined) held.maxItems = max
  return held
}

/** Most items that may have to satisfy `contains`. */
const MAX_CONTAINED = 16
/** Most items before the first of them. */
const MAX_BEFORE = 4

/** `contains`: the items that satisfy it come one after the other, the first few items of the list may be others. */
function containing(holder: SchemaHolder, schema: Fields, use: Use): HeldSchema[] {
  const { path } = use
  const least = count(schema, 'minContains', path) ?? 1
  const most = count(schema, 'maxContains', path)
  if (least === 0 && most === undefined) return []
  if (Math.max(least, most ?? 0) > MAX_CONTAINED) {
    throw refusal(path, 'contains', `asks for more than ${MAX_CONTAINED} items; use items or prefixItems`)
  }
  const inside = { ...below(use, 'contains'), alone: false }
  const contained = holder.hold(schema.contains, inside)
  const ways: HeldSchema[] = []
  const these = (before: number, items: number): HeldObject => ({
    type: 'array',
    prefixItems: [...Array(before).fill(true), ...Array(items).fill(contained)],
    minItems: before + items,
  })
  if (most === undefined) for (let before = 0; before <= MAX_BEFORE; before++) ways.push(these(before, least))
  else {
    const others = holder.hold(holder.negated(schema.contains, path, 'maxContains'), inside)
    for (let items = least; items <= most; items++) ways.push({ ...these(0, items), items: others })
  }
  return [any([...ways, otherThan('array', schema.type)])]
}

/** How many different values the items may have, as far as the schema says it in few words. */
function valuesOf({ items, prefixItems }: Fields): number {
  if (!isObject(items) || prefixItems !== undefined) return Number.POSITIVE_INFINITY
  if ('const' in items || items.type === 'null') return 1
  if (Array.isArray(items.enum)) return new Set(items.enum.map(value => JSON.stringify(value))).size
  if (items.type === 'boolean') return 2
  const { type, minimum, maximum } = items
  if (type !== 'integer' || typeof minimum !== 'number' || typeof maximum !== 'number') return Number.POSITIVE_INFINITY
  return Math.max(0, Math.floor(maximum) - Math.ceil(minimum) + 1)
}

/** Values of which each may come once, at most: more would be too many lists. */
const MAX_DISTINCT = 8

/** `uniqueItems`, where the items are a few known values: the lists of some of them, in the schema's order. */
function distinct(schema: Fields, path: string, min: number, max: number): HeldSchema {
  const { items, type } = schema
  const known = isObject(items) && items.type === 'boolean' ? [true, false] : isObject(items) ? items.enum : undefined
  const values = Array.isArray(known) ? [...new Map(known.map(value => [JSON.stringify(value), value])).values()] : []
  if (values.length === 0 || values.length > MAX_DISTINCT || schema.prefixItems !== undefined) {
    const what = `is true, which is held for items of an enum with at most ${MAX_DISTINCT} values`
    throw refusal(path, 'uniqueItems', `${what}; leave it out, or use maxItems 1`)
  }
  const lists = Array.from({ length: 2 ** values.length }, (_, bits) => values.filter((_, i) => (bits >> i) & 1))
  const fitting = lists.filter(list => list.length >= min && list.length <= max)
  const ways: HeldSchema[] = fitting.map(list => ({ const: list }))
  return any([...ways, otherThan('array', type)])
}
