/** Opposites of keywords that no keyword says: some values that do not satisfy them, for types of which there would be none. */
import { FORMAT_BOUNDS, FREE_FORMATS } from './formats.ts'
import { isObject, OUTSIDE } from './json-schema.ts'

type Fields = { readonly [keyword: string]: unknown }

/** How parts are negated, and what is thrown where that cannot be said. */
export interface Further {
  not(part: unknown): unknown
  fail(what: string): Error
}

/** Largest whole number of which multiples are excluded: the check of answers does not tell neighbours of larger ones apart. */
const MAX_FACTOR = 10_000
/** Ranges between multiples on each side of 0. */
const RANGES = 8

/** Schemas of values that do not satisfy a keyword of `schema`; none: all do. Throws where they cannot be said. */
export function furtherWays(key: string, schema: Fields, { not, fail }: Further): unknown[] {
  const value = schema[key]
  const list = (name: string): readonly unknown[] => {
    if (!Array.isArray(value)) throw fail(`has ${name} that is no list`)
    return value
  }
  /** The item at this place is another one. */
  const itemAt = (place: number, part: unknown): object[] => {
    const other = not(part)
    return other === false
      ? []
      : [{ type: 'array', prefixItems: [...Array(place).fill(true), other], minItems: place + 1 }]
  }
  const listed = (): readonly unknown[] => {
    const first = Array.isArray(schema.items) ? schema.items : schema.prefixItems
    return Array.isArray(first) ? first : []
  }
  switch (key) {
    case 'pattern':
      return [{ type: 'string', [OUTSIDE]: value }]
    case 'format': {
      if (typeof value !== 'string') throw fail('has a format that is no text')
      if (FREE_FORMATS.has(value)) return []
      const bound = FORMAT_BOUNDS[value]
      if (bound === undefined) throw fail(`excludes values by the format ${value}`)
      return [{ type: 'string', [OUTSIDE]: bound }]
    }
    case 'multipleOf': {
      if (!(Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_FACTOR)) break
      const factor = value as number
      if (factor === 1) return []
      const starts = Array.from({ length: 2 * RANGES }, (_, i) => (i - RANGES) * factor)
      return starts.map(start => ({ type: 'integer', exclusiveMinimum: start, exclusiveMaximum: start + factor }))
    }
    case 'prefixItems':
      return list('prefixItems').flatMap((part, i) => itemAt(i, part))
    case 'items':
      if (Array.isArray(value)) return value.flatMap((part, i) => itemAt(i, part))
      return itemAt(listed().length, value)
    case 'additionalItems':
      return Array.isArray(schema.items) ? itemAt(schema.items.length, value) : []
    case 'contains': {
      if (schema.minContains === 0) return []
      const other = not(value)
      return [{ type: 'array', ...(other === false ? { maxItems: 0 } : { items: other }) }]
    }
    case 'minContains':
      return []
    case 'minProperties':
      return typeof value === 'number' && value > 0 ? [{ type: 'object', maxProperties: value - 1 }] : []
    case 'maxProperties':
      if (value !== 0) break
      return [{ type: 'object', minProperties: 1 }]
    case 'patternProperties': {
      if (!isObject(value)) throw fail('has patternProperties that are no object')
      return Object.entries(value).flatMap(([pattern, part]) => {
        const other = not(part)
        if (other === false) return []
        return [
          { type: 'object', patternProperties: { [pattern]: other }, additionalProperties: false, minProperties: 1 },
        ]
      })
    }
    case 'additionalProperties': {
      const other = not(value)
      if (other === false) return []
      const without = (names: unknown) =>
        Object.fromEntries(Object.keys(isObject(names) ? names : {}).map(name => [name, false]))
      const named = { properties: without(schema.properties), patternProperties: without(schema.patternProperties) }
      return [{ type: 'object', ...named, additionalProperties: other, minProperties: 1 }]
    }
    case 'dependentRequired':
    case 'dependentSchemas':
    case 'dependencies':
      if (!isObject(value)) throw fail(`has ${key} that are no object`)
      return Object.entries(value).flatMap(([name, needs]): object[] => {
        const has = { type: 'object', required: [name] }
        if (typeof needs !== 'string' && !Array.isArray(needs)) return [{ allOf: [has, not(needs)] }]
        return [needs].flat().map(other => ({ ...has, properties: { [String(other)]: false } }))
      })
    case 'oneOf':
      return [{ allOf: list('oneOf').map(not) }]
    case 'if': {
      const { if: condition, then: yes = true, else: no = true } = schema
      return [{ allOf: [condition, not(yes)] }, { allOf: [not(condition), not(no)] }]
    }
    case 'then':
    case 'else':
      return []
  }
  throw fail(`excludes values by ${key}`)
}
