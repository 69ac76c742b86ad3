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

/** JSON's types that a value may have; null: any. References are followed within the schema's own definitions. */
export function typesOf(schema: Schema, root: Schema = schema, depth = 0): ReadonlySet<string> | null {
  if (depth > 16) return null
  const { type, enum: values, anyOf, oneOf, allOf, $ref: reference } = schema
  if (typeof type === 'string') return new Set([type])
  if (Array.isArray(type)) return new Set(type.filter(name => typeof name === 'string'))
  if (Array.isArray(values)) return new Set(values.map(typeOfValue))
  if ('const' in schema) return new Set([typeOfValue(schema.const)])
  if (typeof reference === 'string') {
    const target = resolve(reference, root)
    return target === undefined ? null : typesOf(target, root, depth + 1)
  }
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : null
  if (choices !== null) {
    const types = choices.map(choice => (isObject(choice) ? typesOf(choice, root, depth + 1) : null))
    return types.some(known => known === null) ? null : new Set(types.flatMap(known => [...(known ?? [])]))
  }
  if (Array.isArray(allOf)) {
    const known = allOf
      .map(part => (isObject(part) ? typesOf(part, root, depth + 1) : null))
      .find(types => types !== null)
    return known ?? null
  }
  return null
}

/** Whether the value is a string in any case. */
export function takesTextOnly(schema: Schema): boolean {
  const types = typesOf(schema)
  return types?.size === 1 && types.has('string')
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
