/** What formats that write each argument for itself need of a tool's schema. */
import type { ToolDescription } from './messages.ts'

type Schema = Readonly<Record<string, unknown>>

/** A property of a tool's parameters. */
export interface ParameterSchema {
  readonly name: string
  readonly required: boolean
  /** With the definitions of the whole schema, so that references hold. */
  readonly schema: Schema
}

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function parameterSchemas({ parameters }: ToolDescription): ParameterSchema[] {
  if (!isObject(parameters)) return []
  const objects = objectsOf(parameters, parameters)
  const schemas = new Map<string, unknown[]>()
  for (const { properties } of objects) {
    for (const [name, schema] of Object.entries(isObject(properties) ? properties : {})) {
      schemas.set(name, [...(schemas.get(name) ?? []), schema])
    }
  }
  const required = new Set(objects.flatMap(({ required: names }) => (Array.isArray(names) ? names : [])))
  // What is demanded without being described is any other property.
  const others = objects.map(({ additionalProperties: rest }) => rest).filter(isObject)
  for (const name of required) if (typeof name === 'string' && !schemas.has(name)) schemas.set(name, others)
  // What may not come is no part.
  const possible = [...schemas].filter(([, all]) => !all.includes(false))
  const copies = JSON.stringify(parameters).length * possible.length <= MAX_COPIED
  return possible.map(([name, all]) => {
    const schema = all.length === 1 ? all[0] : all.length === 0 ? {} : { allOf: all }
    return { name, required: required.has(name), schema: standing(schema, parameters, copies) }
  })
}

/** Keywords that speak of several properties together, or of a name that is not known. */
const OF_WHOLE = [
  'anyOf',
  'oneOf',
  'not',
  'if',
  'const',
  'enum',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
]

/** A keyword of the parameters that is not held where each of them is written for itself; null: there is none. */
export function unheldKeyword(tool: ToolDescription): string | null {
  const { parameters } = tool
  if (!isObject(parameters)) return null
  const known = parameterSchemas(tool)
  const needed = known.filter(({ required }) => required)
  const objects = objectsOf(parameters, parameters)
  const unheld = (schema: Schema): string | undefined => {
    const { properties, required, additionalProperties, minProperties, maxProperties } = schema
    const isOwn = ({ name }: ParameterSchema) => isObject(properties) && Object.hasOwn(properties, name)
    if (typeof schema.$ref === 'string' && resolve(schema.$ref, parameters) === undefined) return '$ref'
    if (additionalProperties === false && !known.every(isOwn)) return 'additionalProperties'
    if (isObject(additionalProperties) && objects.length > 1 && !known.every(isOwn)) return 'additionalProperties'
    if (typeof minProperties === 'number' && minProperties > needed.length) return 'minProperties'
    if (typeof maxProperties === 'number' && maxProperties < known.length) return 'maxProperties'
    if (required !== undefined && !Array.isArray(required) && typeof required !== 'boolean') return 'required'
    const names = known.length > 0 ? ['patternProperties', 'propertyNames'] : []
    return [...OF_WHOLE, ...names].find(keyword => schema[keyword] !== undefined)
  }
  return objects.map(unheld).find(keyword => keyword !== undefined) ?? null
}

/** The schema, and those that it applies to the same object: by a reference, or in `allOf`. */
function objectsOf(schema: unknown, root: Schema, followed: Set<string> = new Set()): Schema[] {
  if (!isObject(schema)) return []
  const { $ref: reference, allOf } = schema
  const parts = Array.isArray(allOf) ? allOf.flatMap(part => objectsOf(part, root, followed)) : []
  // What is demanded twice is demanded once.
  if (typeof reference !== 'string' || followed.has(reference)) return [schema, ...parts]
  followed.add(reference)
  return [schema, ...objectsOf(resolve(reference, root), root, followed), ...parts]
}

/** References into other places than the definitions. */
const ELSEWHERE = /"\$ref":"#(?!\/(?:\$defs|definitions)\/)/
const PARAMETERS = 'schema://local/parameters'
const ONE = '-one-'

/** Characters of parameters, in all properties that have them in whole. */
const MAX_COPIED = 1_000_000

/** A property's schema for itself, with what its references lead to. `copies`: it may have the whole parameters beside it. */
function standing(given: unknown, root: Schema, copies: boolean): Schema {
  const schema = isObject(given) ? given : {}
  if (copies && ELSEWHERE.test(JSON.stringify(schema))) {
    const $id = typeof root.$id === 'string' ? root.$id : PARAMETERS
    const $defs = { ...(root.$defs as object), [ONE]: schema }
    return { $ref: `${$id}#/$defs/${ONE}`, $defs: { all: { ...root, $id, $defs } } }
  }
  const shared = ['$defs', 'definitions'].filter(key => isObject(root[key])).map(key => [key, root[key]])
  return { ...schema, ...Object.fromEntries(shared) }
}

/** The parameters with their names alone, and which of them are texts. One that may be left out is, if `writes` refuses its name. */
export function looseParameters(tool: ToolDescription, writes: (name: string) => boolean): Schema {
  const parts = parameterSchemas(tool).filter(({ name, required }) => required || writes(name))
  return {
    type: 'object',
    properties: Object.fromEntries(
      parts.map(({ name, schema }) => [name, takesTextOnly(schema) ? { type: 'string' } : {}]),
    ),
    required: parts.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: {},
  }
}

/** Parts one in the other, and references. */
const MAX_DEPTH = 64

type Types = ReadonlySet<string> | null
/** Of references, each of which is followed once; null while it is. */
type KnownTypes = Map<string, Types>

/** JSON's types that a value may have; null: any. References are followed within the schema's own definitions. */
export function typesOf(schema: Schema, root: Schema = schema, known: KnownTypes = new Map(), depth = 0): Types {
  if (depth > MAX_DEPTH) return null
  const { type, enum: values, anyOf, oneOf, allOf, $ref: reference } = schema
  if (typeof type === 'string') return new Set([type])
  if (Array.isArray(type)) return new Set(type.filter(name => typeof name === 'string'))
  if (Array.isArray(values)) return new Set(values.map(typeOfValue))
  if ('const' in schema) return new Set([typeOfValue(schema.const)])
  if (typeof reference === 'string') {
    const before = known.get(reference)
    if (before !== undefined) return before
    known.set(reference, null)
    const target = resolve(reference, root)
    const types = target === undefined ? null : typesOf(target, root, known, depth + 1)
    known.set(reference, types)
    return types
  }
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : null
  if (choices !== null) {
    const types = choices.map(choice => (isObject(choice) ? typesOf(choice, root, known, depth + 1) : null))
    return types.includes(null) ? null : new Set(types.flatMap(some => [...(some ?? [])]))
  }
  if (Array.isArray(allOf)) {
    const types = allOf.map(part => (isObject(part) ? typesOf(part, root, known, depth + 1) : null))
    return types.find(some => some !== null) ?? null
  }
  return null
}

/** Whether the value is a string in any case. */
export function takesTextOnly(schema: Schema): boolean {
  const types = typesOf(schema)
  return types?.size === 1 && types.has('string')
}

/** Keywords that say what a text is. */
const OF_TEXTS = ['type', 'enum', 'const', 'pattern', 'format', 'minLength', 'maxLength']

/**
 * What a schema says of a text: those of its keywords that speak of texts or apply schemas to the same value, with what references lead to in
 * their place. A reference that leads nowhere stays.
 */
export function textSchema(schema: Schema): Schema {
  return textPart(schema, schema, new Map(), 0) as Schema
}

/** `known`: of references, each of which is followed once. */
function textPart(part: unknown, root: Schema, known: Map<string, unknown>, depth: number): unknown {
  if (!isObject(part) || depth > MAX_DEPTH) return typeof part === 'boolean' ? part : {}
  const again = (one: unknown) => textPart(one, root, known, depth + 1)
  const followed = (reference: string): unknown => {
    if (known.has(reference)) return known.get(reference)
    const target = resolve(reference, root)
    if (target === undefined) return { $ref: reference }
    known.set(reference, {})
    const found = again(target)
    known.set(reference, found)
    return found
  }
  const own = Object.fromEntries(OF_TEXTS.filter(key => key in part).map(key => [key, part[key]]))
  const lists = ['allOf', 'anyOf', 'oneOf'].flatMap(key => {
    const list = part[key]
    return Array.isArray(list) ? [[key, list.map(again)] as const] : []
  })
  const single = ['not', 'if', 'then', 'else'].flatMap(key => (key in part ? [[key, again(part[key])] as const] : []))
  const whole: Record<string, unknown> = { ...own, ...Object.fromEntries([...lists, ...single]) }
  if (typeof part.$ref !== 'string') return whole
  return { ...whole, allOf: [...((whole.allOf as unknown[]) ?? []), followed(part.$ref)] }
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

function resolve(reference: string, root: Schema): Schema | undefined {
  if (!reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const key of reference.slice(2).split('/')) {
    if (!isObject(at)) return undefined
    at = at[key.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return isObject(at) ? at : undefined
}
