import type { ForcedText } from '../formats/index.ts'
import { type ReadSchema, readSchema } from './schema/grammar.ts'
import type { SchemaRefusal, SchemaText } from './thread/protocol.ts'
import { readOf } from './thread/reading.ts'

/** A schema as the grammar of a value. Throws SchemaError. */
export type HeldReader = (schema: unknown, alone: boolean) => ReadSchema

/** The schemas that the grammar of these calls reads. `besides`: another answer is allowed, too. */
export function schemasOf({ calls }: ForcedText, besides: boolean): SchemaText[] {
  return calls.flatMap(({ arguments: given }): SchemaText[] => {
    if (given.kind === 'json') {
      const json = JSON.stringify(given.schema)
      return [{ json, alone: true }, ...(besides ? [{ json, alone: false }] : [])]
    }
    return given.parts.flatMap(({ value }) =>
      value.kind === 'json' ? [{ json: JSON.stringify(value.schema), alone: true }] : [],
    )
  })
}

/** Gives what was read elsewhere, and reads here what was not. */
export function readerOf(
  schemas: readonly SchemaText[],
  readings: readonly (ReadSchema | SchemaRefusal)[],
): HeldReader {
  const known = new Map(schemas.map((schema, i) => [keyOf(schema), readings[i]]))
  return (schema, alone) => {
    const reading = known.get(keyOf({ json: JSON.stringify(schema), alone }))
    return reading ? readOf(reading) : readSchema(schema, alone)
  }
}

const keyOf = ({ json, alone }: SchemaText): string => `${alone} ${json}`
