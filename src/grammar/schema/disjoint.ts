import { isObject, type JsonType, TYPES, typeOf } from './json-schema.ts'

/** A schema of the document, with what its references lead to. */
export interface Located {
  readonly value: unknown
  readonly path: string
}
export type Resolve = (reference: string, path: string) => Located | undefined

const MAX_DEPTH = 12
/** Comparisons of parts for one answer: references may lead to the same ones again and again. */
const MAX_STEPS = 2_000

/** Whether no value can satisfy both schemas, as far as it can be shown: by types, values, ranges, and properties. */
export function disjoint(a: Located, b: Located, resolve: Resolve, depth = 0, steps = { left: MAX_STEPS }): boolean {
  if (depth > MAX_DEPTH || --steps.left < 0) return false
  if (a.value === false || b.value === false) return true
  const again = (x: Located, y: Located) => disjoint(x, y, resolve, depth + 1, steps)
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const { value, path } = one
    if (!isObject(value)) continue
    if (typeof value.$ref === 'string') {
      const target = resolve(value.$ref, path)
      if (target !== undefined && again(target, other)) return true
    }
    const part = (key: string, i: number, of: unknown): Located => ({ value: of, path: `${path}/${key}/${i}` })
    if (Array.isArray(value.allOf) && value.allOf.some((of, i) => again(part('allOf', i, of), other))) return true
    for (const key of ['anyOf', 'oneOf']) {
      const list = value[key]
      if (Array.isArray(list) && list.length > 0 && list.every((of, i) => again(part(key, i, of), other))) return true
    }
  }
  if (!isObject(a.value) || !isObject(b.value)) return false
  return ownDisjoint(a as Part, b as Part, again)
}

interface Part {
  readonly value: { readonly [key: string]: unknown }
  readonly path: string
}

function ownDisjoint(a: Part, b: Part, again: (x: Located, y: Located) => boolean): boolean {
  const [typesA, typesB] = [typesOf(a.value), typesOf(b.value)]
  const shared = TYPES.filter(type => typesA.has(type) && typesB.has(type))
  if (shared.length === 0) return true
  const [valuesA, valuesB] = [valuesOf(a.value), valuesOf(b.value)]
  if (valuesA && valuesB) return !valuesA.some(value => valuesB.some(other => equal(value, other)))
  return shared.every(type => {
    if (type === 'object') return objectsDisjoint(a, b, again)
    if (type === 'string') return apart(a.value, b.value, 'minLength', 'maxLength')
    if (type === 'array') return apart(a.value, b.value, 'minItems', 'maxItems')
    if (type === 'integer' || type === 'number') return apart(a.value, b.value, 'minimum', 'maximum')
    return false
  })
}

/** Whether a range of one begins above the other's end. */
function apart(a: Part['value'], b: Part['value'], low: string, high: string): boolean {
  const above = (x: unknown, y: unknown) => typeof x === 'number' && typeof y === 'number' && x > y
  return above(a[low], b[high]) || above(b[low], a[high])
}

/** A property that one requires and the other forbids, or that both have with values that exclude each other. */
function objectsDisjoint(a: Part, b: Part, again: (x: Located, y: Located) => boolean): boolean {
  const needed = new Set([...names(a.value.required), ...names(b.value.required)])
  return [...needed].some(name => again(property(a, name), property(b, name)))
}

function property({ value, path }: Part, name: string): Located {
  if (isObject(value.properties) && Object.hasOwn(value.properties, name)) {
    return { value: value.properties[name], path: `${path}/properties/${name}` }
  }
  if (isObject(value.patternProperties)) return { value: true, path }
  return { value: value.additionalProperties ?? true, path: `${path}/additionalProperties` }
}

const names = (required: unknown): string[] =>
  Array.isArray(required) ? required.filter(name => typeof name === 'string') : []

/** The types that a schema by itself leaves; integers are numbers. */
export function typesOf(schema: Part['value']): ReadonlySet<JsonType> {
  const values = valuesOf(schema)
  if (values) return new Set(values.map(typeOf))
  const given = typeof schema.type === 'string' ? [schema.type] : schema.type
  if (!Array.isArray(given)) return new Set(TYPES)
  const types = new Set(given as JsonType[])
  if (types.has('number')) types.add('integer')
  if (schema.nullable === true) types.add('null')
  return types
}

function valuesOf(schema: Part['value']): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema.const]
  return Array.isArray(schema.enum) ? schema.enum : undefined
}

/** Equality of JSON values; the order of an object's properties does not count. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => Object.hasOwn(b, key) && equal(a[key], b[key]))
}
