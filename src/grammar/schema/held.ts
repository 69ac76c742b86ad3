/** What is done with schemas that have been rewritten: their references lead to their own definitions, by name. */
import { type HeldObject, type HeldSchema, isObject } from './json-schema.ts'

/** Keywords whose keys are names. */
const NAMING: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs'])
/** Keywords of values as they are. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum'])
const DEFINITIONS = '#/$defs/'

/** The definition that the schema refers to. */
export const definitionOf = ({ $ref }: HeldObject): string | undefined =>
  typeof $ref === 'string' ? $ref.slice(DEFINITIONS.length) : undefined

/** A reference to a definition. */
export const referenceTo = (name: string): string => `${DEFINITIONS}${name}`

/** A copy of a schema with itself and each one in it changed, from the outside in. */
export function mapSchemas<T extends HeldSchema>(schema: T, change: (schema: HeldObject) => HeldSchema): T
export function mapSchemas(schema: HeldSchema, change: (schema: HeldObject) => HeldSchema): HeldSchema {
  return mapped(schema, change, false) as HeldSchema
}

/** `names`: the keys are names, not keywords. */
function mapped(value: unknown, change: (schema: HeldObject) => HeldSchema, names: boolean): unknown {
  if (Array.isArray(value)) return value.map(item => mapped(item, change, false))
  if (!isObject(value)) return value
  const changed = names ? value : change(value)
  if (!isObject(changed)) return changed
  return Object.fromEntries(
    Object.entries(changed).map(([key, item]) => {
      if (!names && DATA.has(key)) return [key, item]
      return [key, mapped(item, change, !names && NAMING.has(key))]
    }),
  )
}
