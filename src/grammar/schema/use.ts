import { SchemaError } from '../errors.ts'
import type { Resolve } from './disjoint.ts'
import type { HeldSchema } from './json-schema.ts'

/** How a part of a schema is used. */
export interface Use {
  /** JSON pointer of the part. */
  readonly path: string
  readonly depth: number
  /** Whether nothing else is demanded of the same value: then what a schema leaves open may be closed. */
  readonly alone: boolean
}

/**
 * What `uniqueItems` becomes: `kept` as it is, for who reads the items as they are written; `listed` as lists of known values,
 * and refused where values are open.
 */
export type UniqueItems = 'kept' | 'listed'

/** Rewrites parts of a schema. */
export interface SchemaHolder {
  readonly uniqueItems: UniqueItems
  readonly resolve: Resolve
  hold(value: unknown, use: Use): HeldSchema
  /** Part `i` of a keyword that applies schemas to the same value. */
  part(part: unknown, keyword: string, i: number, use: Use): HeldSchema
  /** A schema of values that do not satisfy this one. Throws SchemaError at `path` and `keyword` where there is none. */
  negated(schema: unknown, path: string, keyword: string): unknown
}

/** The use of a part below; `name`: its pointer from here, without the first slash. */
export const below = (use: Use, name: string): Use => ({ ...use, path: `${use.path}/${name}`, depth: use.depth + 1 })

/** A refusal: where and by which keyword, then what was met and what is expected. */
export function refusal(path: string, keyword: string, what: string): SchemaError {
  const place = path === '' ? 'The schema' : `The schema at ${path}`
  const subject = keyword === '' ? place : `${place}: ${keyword}`
  return new SchemaError(`${subject} ${what}`, { path, keyword })
}

/** A count such as minLength. */
export function count(
  schema: { readonly [keyword: string]: unknown },
  keyword: string,
  path: string,
): number | undefined {
  const value = schema[keyword]
  if (value === undefined) return undefined
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31) return value as number
  throw refusal(path, keyword, `is ${JSON.stringify(value)}; expected a whole number, 0 or more`)
}

/** What other schemas of the same value have evaluated is known only without them. */
export function refuseBesides(schema: { readonly [keyword: string]: unknown }, path: string, keyword: string): void {
  const others = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas', 'not', 'contains']
  const met = others.find(other => schema[other] !== undefined)
  if (met) throw refusal(path, keyword, `stands beside ${met}, which cannot be held; use additionalProperties or items`)
}
