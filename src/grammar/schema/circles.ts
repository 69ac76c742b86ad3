/**
 * Definitions that refer to themselves, where more is demanded of what they refer to: the library intersects the two while it is still at the
 * definition. Each such intersection becomes a definition of its own, in which the reference is replaced by what it leads to.
 */
import { definitionOf, mapSchemas, referenceTo } from './held.ts'
import { type HeldObject, type HeldSchema, isObject } from './json-schema.ts'

/** References one after the other, and alternatives of one intersection: with more it stays as it is. */
const MAX_DEPTH = 32
const MAX_WAYS = 64
/** References and parts that are followed for one intersection: each may be met again and again. */
const MAX_STEPS = 2_000

/** Rewrites a schema and its definitions; `added` is called for each new definition with the one that it is made of. */
export function withoutCircles(
  schema: HeldObject,
  definitions: Map<string, HeldSchema>,
  added: (name: string, of: string) => void,
): HeldObject {
  const circular = circularOf(definitions)
  if (circular.size === 0) return schema
  const names = new Map<string, string>()
  const open: string[] = []
  const refers = (part: HeldSchema) => isObject(part) && circular.has(definitionOf(part) ?? '')
  const change = (schema: HeldObject): HeldSchema => {
    const parts = schema.allOf as readonly HeldSchema[] | undefined
    const of = parts
      ?.flatMap(part => (isObject(part) ? [part, ...((part.anyOf as HeldSchema[]) ?? [])] : []))
      .find(refers)
    if (!parts || !of) return schema
    const key = JSON.stringify(schema)
    const known = names.get(key)
    if (known !== undefined) return { $ref: referenceTo(known) }
    const ways = expanded(parts, definitions, refers, { left: MAX_STEPS })
    if (ways === null) return schema
    const { allOf: _, ...others } = schema
    const name = `c${names.size}`
    names.set(key, name)
    added(name, definitionOf(of as HeldObject) as string)
    const whole = ways.map(way => ({ ...others, allOf: way }))
    definitions.set(name, whole.length === 1 ? (whole[0] as HeldObject) : { anyOf: whole })
    open.push(name)
    return { $ref: referenceTo(name) }
  }
  const rewritten = mapSchemas(schema, change)
  for (const [name, definition] of [...definitions]) {
    if (!open.includes(name)) definitions.set(name, mapSchemas(definition, change))
  }
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    definitions.set(name, mapSchemas(definitions.get(name) as HeldSchema, change))
  }
  return rewritten
}

/** The parts of an intersection with what circular references lead to, once for each choice of alternatives; null: it is too much. */
function expanded(
  parts: readonly HeldSchema[],
  definitions: ReadonlyMap<string, HeldSchema>,
  refers: (part: HeldSchema) => boolean,
  steps: { left: number },
  depth = 0,
): HeldSchema[][] | null {
  if (depth > MAX_DEPTH || --steps.left < 0) return null
  let ways: HeldSchema[][] = [[]]
  for (const part of parts) {
    let options: HeldSchema[][] | null = [[part]]
    if (refers(part)) {
      const target = definitions.get(definitionOf(part as HeldObject) as string) as HeldSchema
      options = expanded([target], definitions, refers, steps, depth + 1)
    } else if (isObject(part) && Object.keys(part).join() === 'allOf') {
      options = expanded(part.allOf as HeldSchema[], definitions, refers, steps, depth + 1)
    } else if (isObject(part) && Object.keys(part).join() === 'anyOf' && (part.anyOf as HeldSchema[]).some(refers)) {
      const each = (part.anyOf as HeldSchema[]).map(option => expanded([option], definitions, refers, steps, depth + 1))
      options = each.includes(null) ? null : (each as HeldSchema[][][]).flat()
    }
    if (options === null || ways.length * options.length > MAX_WAYS) return null
    ways = ways.flatMap(way => (options as HeldSchema[][]).map(option => [...way, ...option]))
  }
  return ways
}

/** Definitions in circles, and between them. */
function circularOf(definitions: ReadonlyMap<string, HeldSchema>): ReadonlySet<string> {
  const to = new Map([...definitions].map(([name, schema]) => [name, referencesIn(schema)]))
  const from = new Map([...definitions.keys()].map(name => [name, new Set<string>()]))
  for (const [name, targets] of to) for (const target of targets) from.get(target)?.add(name)
  const left = new Set(definitions.keys())
  for (const [edges, back] of [
    [to, from],
    [from, to],
  ] as const) {
    const next = [...left]
    for (let name = next.pop(); name !== undefined; name = next.pop()) {
      if (!left.has(name) || [...(edges.get(name) ?? [])].some(target => left.has(target))) continue
      left.delete(name)
      next.push(...(back.get(name) ?? []))
    }
  }
  return left
}

function referencesIn(schema: HeldSchema): Set<string> {
  const found = new Set<string>()
  mapSchemas(schema, part => {
    const name = definitionOf(part)
    if (name !== undefined) found.add(name)
    return part
  })
  return found
}
