import { invalid } from '../failure.ts'
import type { AskOptions } from './ask.ts'

/** OpenAI's form of what an answer is held to. */
export interface WireFormat {
  readonly type: string
  readonly schema?: unknown
}

/** The fields that have it. */
export interface FormatPlace {
  readonly where: string
  readonly schemaAt: string
}

/** Throws Failure naming the field. */
export function readFormat(format: WireFormat | null | undefined, { where, schemaAt }: FormatPlace): AskOptions {
  if (!format || format.type === 'text') return {}
  const { type, schema } = format
  const isKnown = type === 'json_object' || type === 'json_schema'
  if (!isKnown) {
    throw invalid(
      `${where}.type is ${JSON.stringify(type)}; expected text, json_object or json_schema`,
      `${where}.type`,
    )
  }
  if (schema === null || schema === undefined) {
    if (type === 'json_object') return { json: true }
    throw invalid(`${schemaAt} is missing; expected a JSON schema`, schemaAt)
  }
  if (typeof schema === 'boolean' || (typeof schema === 'object' && !Array.isArray(schema))) {
    return { schema: schema as Record<string, unknown> }
  }
  throw invalid(
    `${schemaAt} is ${Array.isArray(schema) ? 'a list' : `a ${typeof schema}`}; expected a JSON schema`,
    schemaAt,
  )
}
