import { type HeldSchema, isObject, pointerOf } from './json-schema.ts'
import { restrictNames } from './property-names.ts'
import { translated } from './scalars.ts'
import { below, count, refusal, refuseBesides, type SchemaHolder, type Use } from './use.ts'

/** Most properties one after the other that may be left out: the library has a row for all of them at once. */
const MAX_OPTIONAL = 400

type Fields = { readonly [keyword: string]: unknown }
type Held = Record<string, unknown>

/** The keywords of objects. */
export function holdObjects(holder: SchemaHolder, schema: Fields, use: Use): Held {
  const { path } = use
  const properties = new Map<string, HeldSchema>()
  if (schema.properties !== undefined) {
    if (!isObject(schema.properties)) throw refusal(path, 'properties', 'is no object')
    for (const [name, part] of Object.entries(schema.properties)) {
      if (/[\ud800-\udfff]/u.test(name)) throw refusal(path, 'properties', 'has half a surrogate pair in a name')
      properties.set(name, holder.hold(part, below(use, `properties${pointerOf(name)}`)))
    }
  }
  const required = requiredNames(schema, path)
  refuseMany(properties, required, path)
  const patterns = new Map<string, HeldSchema>()
  if (schema.patternProperties !== undefined) {
    if (!isObject(schema.patternProperties)) throw refusal(path, 'patternProperties', 'is no object')
    for (const [pattern, part] of Object.entries(schema.patternProperties)) {
      const key = translated(pattern, path, 'patternProperties')
      patterns.set(key, holder.hold(part, below(use, `patternProperties${pointerOf(pattern)}`)))
    }
  }
  let others: HeldSchema | undefined
  if (schema.additionalProperties !== undefined) {
    others = holder.hold(schema.additionalProperties, below(use, 'additionalProperties'))
  } else if (schema.unevaluatedProperties !== undefined && schema.unevaluatedProperties !== true) {
    refuseBesides(schema, path, 'unevaluatedProperties')
    others = holder.hold(schema.unevaluatedProperties, below(use, 'unevaluatedProperties'))
  } else if (use.alone && properties.size > 0 && patterns.size === 0 && schema.propertyNames === undefined) {
    for (const name of required) if (!properties.has(name)) properties.set(name, true)
    others = false
  }
  if (schema.propertyNames !== undefined) {
    others = restrictNames(schema.propertyNames, path, properties, required, patterns, others)
  }
  const held: Held = {}
  if (properties.size > 0) held.properties = Object.fromEntries(properties)
  if (patterns.size > 0) held.patternProperties = Object.fromEntries(patterns)
  if (others !== undefined) held.additionalProperties = others
  if (required.length > 0) held.required = required
  return { ...held, ...sizes(schema, path, properties, required, patterns, others) }
}

function refuseMany(properties: ReadonlyMap<string, HeldSchema>, required: readonly string[], path: string): void {
  const needed = new Set(required)
  let optional = 0
  for (const [name, part] of properties) {
    if (needed.has(name)) optional = 0
    else if (part !== false) optional++
    if (optional <= MAX_OPTIONAL) continue
    const what = `has more than ${MAX_OPTIONAL} that may be left out, one after the other`
    throw refusal(path, 'properties', `${what}; make some of them required, or use additionalProperties`)
  }
}

function requiredNames(schema: Fields, path: string): readonly string[] {
  const { required } = schema
  // Draft 3 has flags; many schemas still write false.
  if (required === undefined || required === false) return []
  if (Array.isArray(required) && required.every(name => typeof name === 'string')) return [...new Set(required)]
  throw refusal(path, 'required', 'is no list of names')
}

/** `minProperties` and `maxProperties`, as far as the names that may be left out are known. */
function sizes(
  schema: Fields,
  path: string,
  properties: ReadonlyMap<string, HeldSchema>,
  required: readonly string[],
  patterns: ReadonlyMap<string, HeldSchema>,
  others: HeldSchema | undefined,
): Held {
  let min = count(schema, 'minProperties', path)
  let max = count(schema, 'maxProperties', path)
  const optional = [...properties]
    .filter(([name, part]) => part !== false && !required.includes(name))
    .map(([name]) => name)
  const closed = others === false && patterns.size === 0
  if (min !== undefined && min <= required.length) min = undefined
  if (max !== undefined && closed && max >= required.length + optional.length) max = undefined
  if (min === undefined && max === undefined) return {}
  const bounds: Held = {
    ...(min !== undefined && { minProperties: min }),
    ...(max !== undefined && { maxProperties: max }),
  }
  const free = (min ?? 0) - required.length
  if (optional.length === 0) {
    // A name that is written twice counts once.
    if (free <= 1) return bounds
    throw refusal(path, 'minProperties', `is ${min}; expected at most one more than the properties that are required`)
  }
  if (closed && free <= 1 && (max ?? required.length + 1) === required.length + 1) return bounds
  if (max === undefined && free === 1) {
    const named = optional.map(name => ({ required: [name] }))
    const besides = { properties: Object.fromEntries(optional.map(name => [name, false])), minProperties: min }
    return { allOf: [{ anyOf: closed ? named : [...named, besides] }] }
  }
  const keyword = max === undefined ? 'minProperties' : 'maxProperties'
  throw refusal(path, keyword, 'stands beside properties that are not required, which cannot be held')
}
