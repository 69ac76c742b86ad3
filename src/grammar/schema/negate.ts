import { SchemaError } from '../errors.ts'
import { type Resolve, typesOf } from './disjoint.ts'
import { ANNOTATIONS, isObject, type JsonType, KEYWORDS, TYPES } from './json-schema.ts'
import { furtherWays } from './negate-further.ts'
import { refusal } from './use.ts'

/** Where a negation is asked for. */
export interface Negation {
  readonly path: string
  readonly keyword: string
  readonly resolve: Resolve
  /** Parts that may still be looked at in the whole schema: references may lead to the same ones again and again. */
  readonly steps: { left: number }
}

const MAX_DEPTH = 12
const MAX_NUMBERS = 16
const MAX_TEXT = 4000

const SPEAKS: ReadonlySet<string> = new Set(KEYWORDS)
/** What excludes a type: every other one. Integers are numbers. */
const others = (...types: readonly string[]): JsonType[] =>
  TYPES.filter(type => type !== 'integer' && !types.includes(type))

/** Keywords whose opposite no keyword says, by the type that they speak of; others speak of all. */
const UNSAID: Readonly<Record<string, JsonType>> = {
  // Of numbers only the whole ones are always among a schema's types.
  ...{ pattern: 'string', format: 'string', multipleOf: 'integer' },
  ...{
    items: 'array',
    prefixItems: 'array',
    additionalItems: 'array',
    unevaluatedItems: 'array',
    uniqueItems: 'array',
  },
  ...{ contains: 'array', minContains: 'array', maxContains: 'array' },
  ...{ properties: 'object', additionalProperties: 'object', unevaluatedProperties: 'object', propertyNames: 'object' },
  ...{ patternProperties: 'object', minProperties: 'object', maxProperties: 'object' },
  ...{ dependentRequired: 'object', dependentSchemas: 'object', dependencies: 'object' },
}

/**
 * A schema of values that do not satisfy the given one: all of them, but for numbers with a fraction where integers are excluded, and
 * for some of those that a keyword alone excludes whose opposite no keyword says. Throws SchemaError where there are none of a type that can be
 * said.
 */
export function negated(schema: unknown, at: Negation, depth = 0): unknown {
  const fail = (what: string) => refusal(at.path, at.keyword, `${what}; use a schema that says what is allowed`)
  if (typeof schema === 'boolean') return !schema
  if (!isObject(schema)) throw refusal(at.path, at.keyword, 'is no schema')
  if (depth > MAX_DEPTH) throw fail('is nested too deep')
  if (--at.steps.left < 0) throw fail('excludes too much')
  const { nullable } = schema
  const not = (part: unknown) => negated(part, at, depth + 1)
  const ways: unknown[] = []
  const unsaid: { readonly key: string; readonly types: readonly JsonType[]; readonly error: SchemaError }[] = []
  for (const [key, value] of Object.entries(schema).flatMap(apart)) {
    if (key === 'nullable' || ANNOTATIONS.has(key) || !SPEAKS.has(key)) continue
    // One keyword that is not satisfied is enough.
    try {
      ways.push(...waysBesides(key, value))
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error
      const types = key in UNSAID ? [UNSAID[key] as JsonType] : [...typesOf(schema)]
      unsaid.push({ key, types, error })
    }
  }
  const reached = () => new Set(ways.flatMap(way => (isObject(way) ? [...typesOf(way)] : way === true ? TYPES : [])))
  const given = typesOf(schema)
  const isLost = (type: JsonType) => given.has(type) && !reached().has(type === 'integer' ? 'number' : type)
  for (const { key, types, error } of unsaid) {
    if (!types.some(isLost)) continue
    const further = furtherWays(key, schema, { not, fail: () => error })
    ways.push(...further.filter(way => way !== false))
  }
  const possible = ways.filter(way => way !== false)
  if (possible.length === 0) return false
  return possible.length === 1 ? possible[0] : { anyOf: possible }

  function waysBesides(key: string, value: unknown): unknown[] {
    const ways: unknown[] = []
    switch (key) {
      case 'type': {
        const types = typesOf({ type: value, ...(nullable === true && { nullable: true }) })
        const rest = others(...types, ...(types.has('integer') ? ['number'] : []))
        if (rest.length > 0) ways.push({ type: rest })
        break
      }
      case 'const':
        ways.push(...besides([value], fail))
        break
      case 'enum':
        if (!Array.isArray(value)) throw fail('has an enum that is no list')
        ways.push(...besides(value, fail))
        break
      case 'required':
        if (!Array.isArray(value)) throw fail('has a list of required properties that is none')
        ways.push(...value.map(name => ({ type: 'object', properties: { [String(name)]: false } })))
        break
      case 'properties':
        if (!isObject(value)) throw fail('has properties that are no object')
        for (const [name, part] of Object.entries(value)) {
          const without = not(part)
          if (without !== false) ways.push({ type: 'object', properties: { [name]: without }, required: [name] })
        }
        break
      case 'anyOf':
        if (!Array.isArray(value)) throw fail('has an anyOf that is no list')
        ways.push({ allOf: value.map(not) })
        break
      case 'allOf':
        if (!Array.isArray(value)) throw fail('has an allOf that is no list')
        ways.push(...value.map(not))
        break
      case 'not':
        ways.push(value)
        break
      case '$ref': {
        const target = typeof value === 'string' ? at.resolve(value, at.path) : undefined
        if (target === undefined) throw fail('refers to a schema that is not there')
        ways.push(not(target.value))
        break
      }
      default:
        ways.push(...bound(key, value, fail))
    }
    return ways
  }
}

/** A keyword of which one part that is not satisfied is enough, part by part. */
function apart([key, value]: readonly [string, unknown]): (readonly [string, unknown])[] {
  if (key === 'allOf' && Array.isArray(value)) return value.map(part => [key, [part]])
  if (key !== 'properties' || !isObject(value)) return [[key, value]]
  return Object.entries(value).map(([name, part]) => [key, { [name]: part }])
}

/** Beyond a bound. */
function bound(key: string, value: unknown, fail: (what: string) => Error): object[] {
  if (typeof value === 'number') {
    switch (key) {
      case 'minimum':
        return [{ type: 'number', exclusiveMaximum: value }]
      case 'maximum':
        return [{ type: 'number', exclusiveMinimum: value }]
      case 'exclusiveMinimum':
        return [{ type: 'number', maximum: value }]
      case 'exclusiveMaximum':
        return [{ type: 'number', minimum: value }]
      case 'minLength':
        return value > 0 ? [{ type: 'string', maxLength: value - 1 }] : []
      case 'maxLength':
        return [{ type: 'string', minLength: value + 1 }]
      case 'minItems':
        return value > 0 ? [{ type: 'array', maxItems: value - 1 }] : []
      case 'maxItems':
        return [{ type: 'array', minItems: value + 1 }]
    }
  }
  throw fail(`excludes values by ${key}`)
}

/** All values but these. */
function besides(values: readonly unknown[], fail: (what: string) => Error): object[] {
  const texts = values.filter(value => typeof value === 'string')
  const numbers = values.filter(value => typeof value === 'number').sort((a, b) => a - b)
  if (numbers.length > MAX_NUMBERS) throw fail(`excludes more than ${MAX_NUMBERS} numbers`)
  if (texts.join('').length > MAX_TEXT) throw fail(`excludes more than ${MAX_TEXT} characters`)
  const truths = [true, false].filter(value => !values.includes(value))
  const between = numbers.map((number, i) => ({
    type: 'number',
    ...(i > 0 && { exclusiveMinimum: numbers[i - 1] }),
    exclusiveMaximum: number,
  }))
  return [
    otherObjects(values.filter(isObject)),
    ...otherLists(values.filter(value => Array.isArray(value))),
    ...(values.includes(null) ? [] : [{ type: 'null' }]),
    ...(truths.length > 0 ? [{ enum: truths }] : []),
    ...(numbers.length === 0
      ? [{ type: 'number' }]
      : [...between, { type: 'number', exclusiveMinimum: numbers.at(-1) }]),
    texts.length === 0 ? { type: 'string' } : { type: 'string', pattern: `^${noneOf(texts)}$` },
  ]
}

/** Objects that lack a property of each of these. */
function otherObjects(objects: readonly object[]): object {
  const names = objects.flatMap(object => Object.keys(object).slice(0, 1))
  return {
    type: 'object',
    ...(names.length > 0 && { properties: Object.fromEntries(names.map(name => [name, false])) }),
    ...(names.length < objects.length && { minProperties: 1 }),
  }
}

/** Lists that are longer or shorter than all of these. */
function otherLists(lists: readonly (readonly unknown[])[]): object[] {
  if (lists.length === 0) return [{ type: 'array' }]
  const lengths = lists.map(({ length }) => length)
  const shortest = Math.min(...lengths)
  return [
    { type: 'array', minItems: Math.max(...lengths) + 1 },
    ...(shortest > 0 ? [{ type: 'array', maxItems: shortest - 1 }] : []),
  ]
}

interface Trie {
  ends: boolean
  readonly next: Map<string, Trie>
}

/** A pattern of all texts but these. */
function noneOf(texts: readonly string[]): string {
  const root: Trie = { ends: false, next: new Map() }
  for (const text of texts) {
    let at = root
    for (const character of text) {
      let next = at.next.get(character)
      if (next === undefined) {
        next = { ends: false, next: new Map() }
        at.next.set(character, next)
      }
      at = next
    }
    at.ends = true
  }
  return besidesTrie(root)
}

function besidesTrie({ ends, next }: Trie): string {
  const stays = ends ? [] : ['']
  if (next.size === 0) return ends ? '[^]+' : '[^]*'
  const characters = [...next.keys()].map(code)
  const deeper = [...next].map(([character, node]) => `${code(character)}${besidesTrie(node)}`)
  return `(?:${[...stays, `[^${characters.join('')}][^]*`, ...deeper].join('|')})`
}

const code = (character: string): string =>
  character.length === 1 ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character
