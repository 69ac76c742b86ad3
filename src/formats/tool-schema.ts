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
  const properties = isObject(parameters?.properties) ? parameters.properties : {}
  const required = Array.isArray(parameters?.required) ? parameters.required : []
  const shared = Object.fromEntries(
    ['$defs', 'definitions'].filter(key => isObject(parameters?.[key])).map(key => [key, parameters?.[key]]),
  )
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    required: required.includes(name),
    schema: isObject(schema) ? { ...shared, ...schema } : shared,
  }))
}

/** The parameters with their names alone, and which of them are texts. */
export function looseParameters(tool: ToolDescription): Schema {
  const parts = parameterSchemas(tool)
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
const OF_TEXTS = ['enum', 'const', 'pattern', 'format', 'minLength', 'maxLength']

/**
 * What a schema says of a text, in keywords of its own: without references, and without choices between listed values. What else is demanded
 * is in `allOf`. Other choices and opposites are left out.
 */
export function textSchema(schema: Schema): Schema {
  const [first = {}, ...others] = textParts(schema, schema, new Map(), 0)
  return { type: 'string', ...first, ...(others.length > 0 && { allOf: others }) }
}

/** `known`: of references, each of which is followed once. */
function textParts(
  schema: Schema,
  root: Schema,
  known: Map<string, readonly Schema[]>,
  depth: number,
): readonly Schema[] {
  if (depth > MAX_DEPTH) return []
  const again = (part: unknown) => (isObject(part) ? textParts(part, root, known, depth + 1) : [])
  const followed = (reference: string): readonly Schema[] => {
    const before = known.get(reference)
    if (before) return before
    known.set(reference, [])
    const parts = again(resolve(reference, root))
    known.set(reference, parts)
    return parts
  }
  const own = Object.fromEntries(OF_TEXTS.filter(key => key in schema).map(key => [key, schema[key]]))
  const { $ref: reference, allOf, anyOf, oneOf } = schema
  const choices = [anyOf, oneOf].filter(list => Array.isArray(list)).map(list => list.map(again))
  const parts = [
    ...(Object.keys(own).length > 0 ? [own] : []),
    ...(typeof reference === 'string' ? followed(reference) : []),
    ...(Array.isArray(allOf) ? allOf.flatMap(again) : []),
    ...choices.flatMap(choice => (choice.length === 1 ? (choice[0] as Schema[]) : listedIn(choice))),
  ]
  return [...new Set(parts)]
}

/** The values of a choice between listed ones; none: it is another choice. */
function listedIn(choice: readonly (readonly Schema[])[]): Schema[] {
  const lists = choice.map(([only, ...others]) => (only && others.length === 0 ? listOf(only) : undefined))
  return lists.every(list => list !== undefined) ? [{ enum: [...new Set(lists.flat())] }] : []
}

const listOf = (schema: Schema): readonly unknown[] | undefined =>
  'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : undefined

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
