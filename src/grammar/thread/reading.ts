import { SchemaError } from '../errors.ts'
import { type ReadSchema, readSchema } from '../schema/grammar.ts'
import type { SchemaRefusal, SchemaText } from './protocol.ts'

/** A schema, read in this thread. */
export function readingOf({ json, alone }: SchemaText): ReadSchema | SchemaRefusal {
  try {
    return readSchema(JSON.parse(json), alone)
  } catch (error) {
    const { message, path = '', keyword = '' } = error as Partial<SchemaError> & Error
    return { message, path, keyword }
  }
}

/** What was read. Throws SchemaError. */
export function readOf(reading: ReadSchema | SchemaRefusal): ReadSchema {
  if ('source' in reading) return reading
  throw new SchemaError(reading.message, { path: reading.path, keyword: reading.keyword })
}
