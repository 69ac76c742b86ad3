import { definitionOf, mapSchemas } from './held.ts'
import { type HeldObject, type HeldSchema, isObject } from './json-schema.ts'

/** Names of definitions that no value satisfies, because each demands another of them in turn, without end. */
export function endless(definitions: ReadonlyMap<string, HeldSchema>): ReadonlySet<string> {
  const open = new Set(definitions.keys())
  /** Definitions by the one that they wait for. */
  const waiting = new Map<string, string[]>()
  const next = [...open]
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const missing = missingIn(definitions.get(name) as HeldSchema, open)
    if (missing === null) {
      open.delete(name)
      next.push(...(waiting.get(name) ?? []))
      waiting.delete(name)
    } else waiting.set(missing, [...(waiting.get(missing) ?? []), name])
  }
  return open
}

/** The first open definition without which the schema has no value; null: it has one, or lacks it for another reason. */
export function missingIn(schema: HeldSchema, open: ReadonlySet<string>): string | null {
  if (!isObject(schema)) return null
  const every = (parts: readonly unknown[]) => {
    for (const part of parts) {
      const missing = missingIn(part as HeldSchema, open)
      if (missing !== null) return missing
    }
    return null
  }
  const some = (parts: readonly unknown[]) => {
    const missing = parts.map(part => missingIn(part as HeldSchema, open))
    return missing.includes(null) ? null : (missing[0] ?? null)
  }
  const { allOf = [], anyOf = [], type } = schema
  const name = definitionOf(schema)
  if (name !== undefined && open.has(name)) return name
  const below = type === 'object' ? demandedProperties(schema) : type === 'array' ? demandedItems(schema) : []
  return every(below) ?? every(allOf as readonly unknown[]) ?? some(anyOf as readonly unknown[])
}

/** A copy in which references to these definitions are false. */
export function excluding(held: HeldObject, names: ReadonlySet<string>): HeldObject {
  return mapSchemas(held, schema => !names.has(definitionOf(schema) ?? '') && schema)
}

type Fields = { readonly [keyword: string]: unknown }

function demandedProperties({ required = [], properties = {} }: Fields): readonly unknown[] {
  const known = properties as Fields
  return (required as readonly string[]).flatMap(name => (Object.hasOwn(known, name) ? [known[name]] : []))
}

function demandedItems({ minItems = 0, prefixItems = [], items = true }: Fields): readonly unknown[] {
  const first = (prefixItems as readonly unknown[]).slice(0, minItems as number)
  return first.length < (minItems as number) ? [...first, items] : first
}
