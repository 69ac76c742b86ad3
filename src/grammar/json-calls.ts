/**
 * Answers of formats whose calls are JSON without marks, where another answer in JSON is allowed too. Lexemes are not taken
 * back, and both begin alike, so calls and the other answer are one schema.
 */
import type { ForcedText } from '../formats/index.ts'
import type { GrammarSource } from './matcher.ts'
import { JSON_OPTIONS } from './schema/grammar.ts'
import { definitionOf, mapSchemas, referenceTo } from './schema/held.ts'
import type { HeldObject } from './schema/json-schema.ts'

type Schema = Readonly<Record<string, unknown>>
type ForcedCall = ForcedText['calls'][number]

/** Whether calls are JSON without marks. */
export function isJson({ open, calls }: ForcedText): boolean {
  return `${open}${calls[0]?.begin[0] ?? ''}`.trimStart().startsWith('{')
}

/** The grammar of calls, or of `other`, a schema that is held. `held`: that of a call's arguments. */
export function jsonCallsOr(
  forced: ForcedText,
  held: (call: ForcedCall) => GrammarSource,
  other: GrammarSource,
): GrammarSource {
  const { open, close, max, calls } = forced
  const definitions: Record<string, unknown> = {}
  const add = (source: GrammarSource, name: string): Schema => {
    const renamed = mapSchemas(JSON.parse(source.text) as HeldObject, schema => {
      const definition = definitionOf(schema)
      return definition === undefined ? schema : { ...schema, $ref: referenceTo(`${name}${definition}`) }
    })
    const { $defs = {}, 'x-guidance': _, ...schema } = renamed as Record<string, Schema>
    for (const [key, definition] of Object.entries($defs)) definitions[`${name}${key}`] = definition
    return schema
  }
  const items = calls.map((call, i) => {
    const example: unknown = JSON.parse(`${call.begin.join('')}{}${call.end}`)
    return schemaOf(example, add(held(call), `c${i}`))
  })
  const all = schemaOf(JSON.parse(`${open}{}${close}`), { anyOf: items }, max)
  const schema = { anyOf: [all, add(other, 'o')], $defs: definitions, 'x-guidance': JSON_OPTIONS }
  return { kind: 'json', text: JSON.stringify(schema) }
}

/** The schema of a value like the example, whose empty object stands for `given`. */
function schemaOf(example: unknown, given: Schema, max: number | null = null): Schema {
  if (Array.isArray(example)) {
    return { type: 'array', items: schemaOf(example[0], given), minItems: 1, ...(max !== null && { maxItems: max }) }
  }
  if (typeof example !== 'object' || example === null) return { const: example }
  const entries = Object.entries(example)
  if (entries.length === 0) return given
  const properties = Object.fromEntries(entries.map(([key, value]) => [key, schemaOf(value, given, max)]))
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}
