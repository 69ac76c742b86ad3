/** A JSON schema, as JSON.parse gives it. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

/** A schema in the form that the library gets: every keyword is one of those that it holds. */
export type HeldSchema = boolean | HeldObject
export type HeldObject = { readonly [keyword: string]: unknown }

/** Names of JSON's types. */
export const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
export type JsonType = (typeof TYPES)[number]

/** Keywords that say nothing of what is valid. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  ...['title', 'description', 'default', 'examples', 'example', '$comment', 'deprecated', 'readOnly', 'writeOnly'],
  ...['$schema', '$id', 'id', '$anchor', '$vocabulary', '$defs', 'definitions', 'discriminator', 'externalDocs', 'xml'],
  ...['contentMediaType', 'contentEncoding', 'contentSchema'],
])

/** Keywords that say what is valid, of every dialect. */
export const KEYWORDS = [
  ...['type', 'nullable', 'const', 'enum', '$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'],
  ...['properties', 'required', 'additionalProperties', 'patternProperties', 'propertyNames'],
  ...['minProperties', 'maxProperties', 'dependentRequired', 'dependentSchemas', 'dependencies'],
  ...['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems'],
  ...['contains', 'minContains', 'maxContains', 'unevaluatedItems', 'unevaluatedProperties'],
  ...['minLength', 'maxLength', 'pattern', 'format'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['$dynamicRef', '$recursiveRef', '$dynamicAnchor', '$recursiveAnchor'],
] as const

/**
 * In a schema that was derived from another: a pattern that its texts must not match. JSON has no such key, so that no schema that is given
 * has it.
 */
export const OUTSIDE = Symbol('outside')

export const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON's type of a value; whole numbers are integers. */
export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value as JsonType
}

/** What of a schema's values is left where none of a type fits; `own`: the types that the schema names. */
export const otherThan = (type: JsonType, own: unknown): HeldSchema =>
  own !== type && { type: TYPES.filter(name => name !== type && name !== 'integer') }

/** One segment of a JSON pointer. */
export const pointerOf = (key: string | number): string => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

/** What satisfies one of the schemas. */
export function any(parts: readonly HeldSchema[]): HeldSchema {
  const kept = parts.filter(part => part !== false)
  return kept.length > 0 && { anyOf: kept }
}

/** What satisfies all of them. */
export function all(parts: readonly HeldSchema[]): HeldSchema {
  const kept = parts.filter(part => part !== true && Object.keys(part).length > 0)
  if (parts.includes(false)) return false
  if (kept.length === 0) return true
  return kept.length === 1 ? (kept[0] as HeldSchema) : { allOf: kept }
}
