import { SchemaError } from '../errors.ts'
import { disjoint, type Located, type Resolve } from './disjoint.ts'
import { all, any, type HeldSchema, isObject } from './json-schema.ts'
import { textsBesides } from './known-texts.ts'
import { compilePattern } from './pattern.ts'
import { refusal, type SchemaHolder, type Use } from './use.ts'

/** Pairs of schemas of which one value may satisfy both, each without all that the other allows. */
const MAX_OVERLAPS = 24
/** The same, each without some of it. */
const MAX_NARROWED = 2_000
/** Schemas that are compared, each with all others. */
const MAX_COMPARED = 200

/** `oneOf`: where schemas may be satisfied by one value, each is to be satisfied without the others. Throws SchemaError. */
export function holdOneOf(holder: SchemaHolder, list: readonly unknown[], use: Use): HeldSchema {
  if (areDistinct(list)) return { anyOf: list.map((part, i) => holder.part(part, 'oneOf', i, use)) }
  if (list.length > MAX_COMPARED) {
    const what = `has ${list.length} schemas; expected at most ${MAX_COMPARED}, or one const of its own in each`
    throw refusal(use.path, 'oneOf', `${what}; or use anyOf`)
  }
  const located = list.map((value, i) => ({ value, path: `${use.path}/oneOf/${i}` }))
  const overlaps = located.map(one => {
    const others = located.filter(other => other !== one && !disjoint(one, other, holder.resolve))
    return namedApart(one, others, holder.resolve)
  })
  const pairs = overlaps.reduce((n, { left }) => n + left.length, 0)
  if (pairs > MAX_NARROWED) {
    const i = overlaps.findIndex(({ left }) => left.length > 0)
    throw overlap(i, located.indexOf(overlaps[i]?.left[0] as Located), use)
  }
  const alone = { ...use, alone: false }
  return any(
    located.map((one, i) => {
      const { names, left } = overlaps[i] as Apart
      if (names.length + left.length === 0) return holder.part(one.value, 'oneOf', i, use)
      // Names of its own leave what may be closed.
      const inner = left.length === 0 ? use : alone
      const named = names.length > 0 ? [{ required: names }] : []
      const without = left.map(other => {
        try {
          return holder.hold(besides(holder, one, other, pairs > MAX_OVERLAPS), alone)
        } catch (error) {
          // The opposite is our way; what is wrong is that both may hold.
          if (error instanceof SchemaError && error.keyword === 'oneOf') throw overlap(i, located.indexOf(other), use)
          throw error
        }
      })
      return all([holder.part(one.value, 'oneOf', i, inner), ...named, ...without])
    }),
  )
}

/** Whether each is a const, and none is another's. */
function areDistinct(list: readonly unknown[]): boolean {
  const values = list.map(part => (isObject(part) ? part.const : undefined))
  const plain = values.every(value => value === null || ['string', 'number', 'boolean'].includes(typeof value))
  return plain && new Set(values).size === values.length
}

interface Apart {
  /** Properties without which a value might satisfy others. */
  readonly names: readonly string[]
  /** Schemas that a value with these properties may satisfy, too. */
  readonly left: readonly Located[]
}

/** What tells an object from closed ones: properties that they do not have. */
function namedApart(one: Located, others: readonly Located[], resolve: Resolve): Apart {
  const own = objectAt(one, resolve)
  const names: string[] = []
  let left = others
  if (own?.type !== 'object' || !isObject(own.properties)) return { names, left }
  const possible = Object.entries(own.properties).flatMap(([name, part]) => (part === false ? [] : [name]))
  for (;;) {
    const best = possible
      .map(name => ({ name, still: left.filter(other => !isWithout(objectAt(other, resolve), name)) }))
      .reduce((a, b) => (b.still.length < a.still.length ? b : a), { name: '', still: left })
    if (best.still.length === left.length) return { names, left }
    names.push(best.name)
    left = best.still
  }
}

type Fields = { readonly [keyword: string]: unknown }

/** Whether no object that satisfies the schema has such a property. */
function isWithout(schema: Fields | undefined, name: string): boolean {
  if (schema === undefined || schema.additionalProperties !== false) return false
  const { properties, patternProperties } = schema
  if (isObject(properties) && Object.hasOwn(properties, name)) return properties[name] === false
  return (
    !isObject(patternProperties) || Object.keys(patternProperties).every(p => compilePattern(p)?.test(name) === false)
  )
}

/** The schema's own keywords, or those of what it refers to. */
function objectAt({ value, path }: Located, resolve: Resolve): Fields | undefined {
  if (!isObject(value)) return undefined
  const target = typeof value.$ref === 'string' ? resolve(value.$ref, path)?.value : value
  return isObject(target) ? target : undefined
}

/** A schema of values that do not satisfy the other one; `narrowed`: of some of them, which satisfy the first. */
function besides(holder: SchemaHolder, one: Located, other: Located, narrowed: boolean): unknown {
  const texts = textsBesides(one, other, holder.resolve)
  if (texts) return { enum: texts }
  const without = holder.negated(other.value, other.path, 'oneOf')
  if (!narrowed || !isObject(without) || !Array.isArray(without.anyOf)) return without
  return without.anyOf.find(way => !disjoint({ value: way, path: other.path }, one, holder.resolve)) ?? false
}

function overlap(i: number, j: number, use: Use): SchemaError {
  const what = `has the schemas ${i} and ${j}, which one value may satisfy both; use anyOf, or make them exclude each other`
  return refusal(use.path, 'oneOf', what)
}
