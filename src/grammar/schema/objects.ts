import { type HeldSchema, isObject, pointerOf } from './json-schema.ts'
import { apart, type NamedByPattern, restrictNames } from './property-names.ts'
import { textsOf } from './scalars.ts'
import { holdSizes } from './sizes.ts'
import { below, refusal, refuseBesides, type SchemaHolder, type Use } from './use.ts'

/** Most properties one after the other that may be left out: the library has a row for all of them at once. */
const MAX_OPTIONAL = 2000

type Fields = { readonly [keyword: string]: unknown }
type Held = Record<string, unknown>

/** The keywords of objects. */
export function holdObjects(holder: SchemaHolder, schema: Fields, use: Use): Held {
  const { path } = use
  let properties = new Map<string, HeldSchema>()
  if (schema.properties !== undefined) {
    if (!isObject(schema.properties)) throw refusal(path, 'properties', 'is no object')
    for (const [name, part] of Object.entries(schema.properties)) {
      if (/[\ud800-\udfff]/u.test(name)) throw refusal(path, 'properties', 'has half a surrogate pair in a name')
      if (name === '__proto__')
        throw refusal(path, 'properties', 'has the name __proto__, which no check of answers reads')
      properties.set(name, holder.hold(part, below(use, `properties${pointerOf(name)}`)))
    }
  }
  const required = requiredNames(schema, path)
  refuseMany(properties, required, path)
  let patterns: readonly NamedByPattern[] = []
  if (schema.patternProperties !== undefined) {
    if (!isObject(schema.patternProperties)) throw refusal(path, 'patternProperties', 'is no object')
    patterns = Object.entries(schema.patternProperties).map(([pattern, part]) => ({
      pattern,
      texts: textsOf(pattern, path, 'patternProperties'),
      schema: holder.hold(part, below(use, `patternProperties${pointerOf(pattern)}`)),
    }))
  }
  let others: HeldSchema | undefined
  if (schema.additionalProperties !== undefined) {
    others = holder.hold(schema.additionalProperties, below(use, 'additionalProperties'))
  } else if (schema.unevaluatedProperties !== undefined && schema.unevaluatedProperties !== true) {
    refuseBesides(schema, path, 'unevaluatedProperties')
    others = holder.hold(schema.unevaluatedProperties, below(use, 'unevaluatedProperties'))
  } else if (use.alone && properties.size > 0 && patterns.length === 0 && schema.propertyNames === undefined) {
    for (const name of required) if (!properties.has(name)) properties.set(name, true)
    others = false
  }
  if (schema.propertyNames !== undefined) {
    const rules = { properties, patterns, others }
    const restricted = restrictNames(schema.propertyNames, path, holder.resolve, required, rules)
    properties = restricted.properties
    patterns = restricted.patterns
    others = restricted.others
  }
  const held: Held = {}
  if (properties.size > 0) held.properties = Object.fromEntries(properties)
  if (patterns.length > 0) held.patternProperties = Object.fromEntries(apart(patterns))
  if (others !== undefined) held.additionalProperties = others
  if (required.length > 0) held.required = required
  const closed = others === false && patterns.length === 0
  return { ...held, ...holdSizes(schema, path, { properties, required, closed }) }
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

function requiredNames({ required, properties }: Fields, path: string): readonly string[] {
  // Draft 3 has flags in the properties themselves.
  const flagged = isObject(properties)
    ? Object.entries(properties).filter(([, part]) => isObject(part) && part.required === true)
    : []
  const names = flagged.map(([name]) => name)
  if (required === undefined || typeof required === 'boolean') return names
  if (Array.isArray(required) && required.every(name => typeof name === 'string'))
    return [...new Set([...required, ...names])]
  throw refusal(path, 'required', 'is no list of names')
}
