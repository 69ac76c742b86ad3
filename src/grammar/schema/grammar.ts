import type { GrammarSource } from '../matcher.ts'
import { mapSchemas } from './held.ts'
import { holdSchema } from './hold.ts'
import { refusal } from './use.ts'

/** A schema as a grammar. */
export interface SchemaGrammar {
  readonly source: GrammarSource
  /** What a failure of the library to compile it means: SchemaError with a path, where it is known. */
  explain(reason: string): Error
}

/** A schema as a grammar, in plain data. */
export interface ReadSchema {
  readonly source: GrammarSource
  /** JSON pointer of each definition in `source` by its name. */
  readonly paths: ReadonlyMap<string, string>
}

/** Reads a schema, which is JSON, as the grammar of a whole text. Throws SchemaError. */
export type SchemaReader = (schema: string) => Promise<ReadSchema>

/** Characters of schemas: longer ones may take more than 50 ms. */
const SHORT = 10_000
/** Longest schema, as JSON. */
const MAX_LENGTH = 2_000_000

/** After { [ , : and before } ]: a few blanks, or a new line with its indentation. */
const WHITE_SPACE = '\\n[ \\t]{0,16}|[ \\t]{1,2}'

/** How the library writes JSON. Without \u, a name has one spelling, so that no property can come in disguise. */
export const JSON_OPTIONS = { whitespace_pattern: WHITE_SPACE, json_allowed_escapes: 'nrbtf\\"' }

/**
 * Whether these schemas may be read at once in a thread that others wait for: they are short, and none may have an expression that is tried
 * out on texts or names, which has no bound in time.
 */
export function areReadAtOnce(schemas: readonly string[]): boolean {
  const tries = (json: string) => /"pattern(Properties)?":/.test(json) && /"(oneOf|propertyNames)":/.test(json)
  return schemas.reduce((sum, { length }) => sum + length, 0) <= SHORT && !schemas.some(tries)
}

/**
 * The grammar of the JSON that satisfies a schema. `alone`: whether the JSON is read from its start as it is written (the whole
 * text is JSON, or it comes after a known one); only then can `uniqueItems` be held for open values. Throws SchemaError naming path and keyword of what cannot be held.
 */
export function schemaGrammar(schema: unknown, alone: boolean): SchemaGrammar {
  return explaining(readSchema(schema, alone))
}

/** What was read elsewhere. */
export const explaining = ({ source, paths }: ReadSchema): SchemaGrammar => ({
  source,
  explain: reason => explained(reason, paths),
})

/** `schemaGrammar` in plain data. */
export function readSchema(schema: unknown, alone: boolean): ReadSchema {
  const { paths, schema: whole } = holdSchema(schema, alone ? 'kept' : 'listed')
  const distinct = alone ? JSON.stringify(whole) : ''
  const hasDistinct = distinct.includes('"uniqueItems":true')
  const held = hasDistinct ? mapSchemas(whole, ({ uniqueItems: _, ...others }) => others) : whole
  const text = JSON.stringify({ ...held, 'x-guidance': JSON_OPTIONS })
  if (text.length > MAX_LENGTH) {
    throw refusal('', '', `is ${text.length} characters of JSON; expected at most ${MAX_LENGTH}`)
  }
  const source: GrammarSource = { kind: 'json', text, ...(hasDistinct && { distinct }) }
  return { source, paths }
}

/** Keywords by what the library says of them. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/circular references with sibling/, '$ref'],
  [/patternPropert/, 'patternProperties'],
  [/minProperties|maxProperties/, 'minProperties'],
  [/multipleOf/, 'multipleOf'],
  [/[Rr]egex|lookaround/, 'pattern'],
]

function explained(reason: string, paths: ReadonlyMap<string, string>): Error {
  const name = /#\/\$defs\/([cd]\d+)/.exec(reason)?.[1]
  const path = (name && paths.get(name)) ?? ''
  const short = reason.replace(/(?:\s|\\u000a)+/g, ' ').slice(0, 300)
  if (/[Uu]nsatisfiable/.test(reason)) return refusal(path, '', `is satisfied by no value: ${short}`)
  const keyword = REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? ''
  return refusal(path, keyword, `cannot be held: ${short}`)
}
