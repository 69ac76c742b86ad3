import { typesOf } from './disjoint.ts'
import { isObject, TYPES } from './json-schema.ts'
import { refusal } from './use.ts'

/** At most so many properties on which others depend: each doubles the ways. */
const MAX_DEPENDENTS = 6

/** `dependentRequired`, `dependentSchemas` and the older `dependencies`: without the property, or with what it demands. */
export function withDependents(schema: { readonly [key: string]: unknown }, keyword: string, path: string): object[] {
  const given = schema[keyword]
  if (!isObject(given)) throw refusal(path, keyword, 'is no object')
  const entries = Object.entries(given)
  if (entries.length > MAX_DEPENDENTS) {
    throw refusal(path, keyword, `has ${entries.length} properties; expected at most ${MAX_DEPENDENTS}`)
  }
  return entries.map(([name, demanded]) => {
    const needs = Array.isArray(demanded)
      ? [{ required: [name, ...demanded] }]
      : [{ required: [name] }, demanded as object]
    return { anyOf: [{ properties: { [name]: false } }, { allOf: needs }] }
  })
}

/** A schema that is satisfied by all values that do not satisfy the given one. Throws SchemaError where there is none. */
export function negated(schema: unknown, path: string, keyword = 'not'): unknown {
  const fail = (what: string) => refusal(path, keyword, `${what}; use a schema that says what is allowed`)
  if (typeof schema === 'boolean') return !schema
  if (!isObject(schema)) throw refusal(path, keyword, 'is no schema')
  const parts = Object.entries(schema).filter(([key]) => !NOTES.has(key))
  if (parts.length === 0) return false
  // One keyword not satisfied is enough.
  const ways = parts.flatMap(([key, value]): unknown[] => {
    switch (key) {
      case 'type': {
        const types = typesOf({ type: value, ...(schema.nullable === true && { nullable: true }) })
        // Where integers are excluded, numbers with a fraction are left out, too.
        const others = TYPES.filter(
          type => !types.has(type) && type !== 'integer' && !(type === 'number' && types.has('integer')),
        )
        return others.length > 0 ? [{ type: others }] : []
      }
      case 'required': {
        if (!Array.isArray(value)) throw fail('has a list of required properties that is none')
        // Another keyword already excludes values that are no objects, if it has to.
        return value.map(name => ({ type: 'object', properties: { [name as string]: false } }))
      }
      case 'properties': {
        if (!isObject(value)) throw fail('has properties that are no object')
        return Object.entries(value).map(([name, part]) => ({
          type: 'object',
          properties: { [name]: negated(part, path, keyword) },
          required: [name],
        }))
      }
      case 'const':
      case 'enum': {
        const values = key === 'const' ? [value] : value
        if (!Array.isArray(values)) throw fail('has an enum that is no list')
        if (values.every(one => typeof one === 'boolean')) {
          const rest = [true, false].filter(one => !values.includes(one))
          return [{ enum: rest }, { type: TYPES.filter(type => type !== 'boolean' && type !== 'integer') }].filter(
            way => !('enum' in way) || rest.length > 0,
          )
        }
        if (values.every(one => one === null))
          return [{ type: TYPES.filter(type => type !== 'null' && type !== 'integer') }]
        throw fail(`excludes values by ${key}`)
      }
      case 'anyOf':
        if (!Array.isArray(value)) throw fail('has an anyOf that is no list')
        return [{ allOf: value.map(part => negated(part, path, keyword)) }]
      case 'allOf':
        if (!Array.isArray(value)) throw fail('has an allOf that is no list')
        return value.map(part => negated(part, path, keyword))
      case 'not':
        return [value]
      default:
        throw fail(`excludes values by ${key}`)
    }
  })
  if (ways.length === 0) return false
  return ways.length === 1 ? ways[0] : { anyOf: ways }
}

const NOTES: ReadonlySet<string> = new Set(['title', 'description', '$comment', 'default', 'examples', 'nullable'])
