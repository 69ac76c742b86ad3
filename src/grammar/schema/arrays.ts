import { below, count, refusal, refuseBesides, type SchemaHolder, type Use } from './use.ts'

type Fields = { readonly [keyword: string]: unknown }

/** The keywords of lists. */
export function holdArrays(holder: SchemaHolder, schema: Fields, use: Use): Record<string, unknown> {
  const { path } = use
  const held: Record<string, unknown> = {}
  const min = count(schema, 'minItems', path)
  const max = count(schema, 'maxItems', path)
  if (schema.uniqueItems === true && !((max ?? 2) <= 1)) {
    throw refusal(path, 'uniqueItems', 'is true, which cannot be held; leave it out, or use maxItems 1')
  }
  if (schema.contains !== undefined && schema.minContains !== 0) {
    throw refusal(path, 'contains', 'cannot be held; use items or prefixItems')
  }
  if (schema.contains !== undefined && schema.maxContains !== undefined) {
    throw refusal(path, 'maxContains', 'cannot be held; use items and maxItems')
  }
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
