import { holdArrays } from './arrays.ts'
import { withoutCircles } from './circles.ts'
import { withDependents } from './dependents.ts'
import type { Resolve } from './disjoint.ts'
import { endless, excluding, missingIn } from './endless.ts'
import { referenceTo } from './held.ts'
import { ANNOTATIONS, all, any, type HeldObject, type HeldSchema, isObject, KEYWORDS, TYPES } from './json-schema.ts'
import { misspelt } from './misspelt.ts'
import { negated } from './negate.ts'
import { holdObjects } from './objects.ts'
import { holdOneOf } from './one-of.ts'
import { References } from './references.ts'
import { holdNumbersOf, holdStrings, holdValues } from './scalars.ts'
import { refusal, type SchemaHolder, type UniqueItems, type Use } from './use.ts'

/** A schema that the library holds, and where its definitions are from. */
export interface HeldDocument {
  readonly schema: HeldObject
  /** JSON pointer of each definition of `schema` by its name. */
  readonly paths: ReadonlyMap<string, string>
}

const MAX_NODES = 60_000
const MAX_DEPTH = 64
/** Schemas whose opposites are looked for, each as often as it is met. */
const MAX_NEGATED = 300_000

/**
 * Rewrites a schema such that the library holds every keyword. Throws SchemaError naming path and keyword of what cannot
 * be held. The result may allow less than the schema, never more:
 *
 * - objects have no properties besides those named, unless `additionalProperties` or `patternProperties` says otherwise;
 * - where `type` is missing, the other keywords say it;
 * - properties come in the schema's order, numbers have at most 15 digits before the point.
 */
export function holdSchema(root: unknown, uniqueItems: UniqueItems): HeldDocument {
  const holder = new Holder(root, uniqueItems)
  return holder.document()
}

type Fields = { readonly [keyword: string]: unknown }

/** Keywords that apply schemas to the same value. */
const IN_PLACE = [
  '$ref',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
]
/** Keywords that name properties. */
const NAMING = [
  'properties',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  '$ref',
  'unevaluatedProperties',
]
/** What replaces them. */
const OF_DRAFT_3: Readonly<Record<string, string>> = { divisibleBy: 'multipleOf', disallow: 'not', extends: 'allOf' }
const KNOWN: ReadonlySet<string> = new Set<string>([...KEYWORDS, ...ANNOTATIONS])

class Holder implements SchemaHolder {
  readonly uniqueItems: UniqueItems
  readonly #root: unknown
  readonly #references: References
  readonly #names = new Map<string, string>()
  readonly #paths = new Map<string, string>()
  readonly #definitions = new Map<string, HeldSchema>()
  readonly #open: (() => void)[] = []
  /** Paths of schemas that are being applied to one value: a circle among them ends nowhere. */
  readonly #inPlace: string[] = []
  readonly resolve: Resolve = (reference, path) => this.#references.resolve(reference, path)
  #nodes = 0
  readonly #negations = { left: MAX_NEGATED }

  constructor(root: unknown, uniqueItems: UniqueItems) {
    this.uniqueItems = uniqueItems
    this.#root = root
    this.#references = new References(root)
  }

  document(): HeldDocument {
    const schema = this.hold(this.#root, { path: '', depth: 0, alone: true })
    if (schema === false) throw refusal('', '', 'is satisfied by no value')
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) next()
    const without = endless(this.#definitions)
    const missing = missingIn(schema, without)
    if (missing !== null) {
      const what = 'is satisfied by no value: what it demands demands itself again, without end'
      throw refusal(this.#paths.get(missing) ?? '', '', what)
    }
    for (const name of without) this.#definitions.delete(name)
    const whole = withoutCircles(schema === true ? {} : schema, this.#definitions, (name, of) => {
      this.#paths.set(name, this.#paths.get(of) ?? '')
    })
    const $defs = Object.fromEntries(this.#definitions)
    const held = this.#definitions.size > 0 ? { ...whole, $defs } : whole
    return { schema: without.size > 0 ? excluding(held, without) : held, paths: this.#paths }
  }

  hold(value: unknown, use: Use): HeldSchema {
    const { path, depth } = use
    if (++this.#nodes > MAX_NODES)
      throw refusal(path, '', `is part of a schema with more than ${MAX_NODES} schemas in it`)
    if (depth > MAX_DEPTH) throw refusal(path, '', `is nested more than ${MAX_DEPTH} deep`)
    if (typeof value === 'boolean') return value
    if (!isObject(value)) throw refusal(path, '', 'is no schema; expected an object, true or false')
    for (const keyword of Object.keys(value)) {
      const meant = KNOWN.has(keyword) ? undefined : misspelt(keyword)
      if (meant) throw refusal(path, keyword, `is not known; did you mean ${meant}?`)
    }
    const dynamic = ['$dynamicRef', '$recursiveRef'].find(keyword => value[keyword] !== undefined)
    if (dynamic) throw refusal(path, dynamic, 'depends on where it is used from, which cannot be held; use $ref')
    const old = Object.keys(OF_DRAFT_3).find(keyword => value[keyword] !== undefined)
    if (old) throw refusal(path, old, `is a keyword of draft 3, which is not held; use ${OF_DRAFT_3[old]}`)
    return this.#holdFields(value, use)
  }

  #holdFields(schema: Fields, use: Use): HeldSchema {
    const applied = IN_PLACE.filter(keyword => schema[keyword] !== undefined)
    const own = this.#own(schema, use, applied)
    if (own === false) return false
    const parts: HeldSchema[] = Object.keys(own).length > 0 ? [own] : []
    const single = applied.length === 1 && parts.length === 0
    const inner = { ...use, depth: use.depth + 1, alone: use.alone && single }
    for (const keyword of applied) parts.push(...this.#applied(schema, keyword, inner))
    return all(parts)
  }

  /** The keywords of a schema that speak of the value itself. */
  #own(schema: Fields, use: Use, applied: readonly string[]): HeldSchema {
    const values = holdValues(schema, use.path)
    if (values === false) return false
    // Parts that name no properties leave what may be closed.
    const closes = use.alone && applied.every(keyword => !namesProperties(schema[keyword], keyword))
    const inside = { ...use, alone: closes }
    const given = this.#types(schema, use.path, closes && applied.length === 0)
    const types = Number.isInteger(schema.multipleOf) ? wholeNumbers(given) : given
    const strings = holdStrings(schema, use.path)
    const arrays = holdArrays(this, schema, inside)
    const objects = holdObjects(this, schema, inside)
    // Each may demand more than one schema can say.
    const more = [strings, arrays, objects].flatMap(({ allOf = [] }) => allOf as HeldSchema[])
    if (more.includes(false) || (types === 'object' && demandsNothing(objects))) return false
    return {
      ...(types && { type: types }),
      ...values,
      ...holdNumbersOf(schema, use.path),
      ...strings,
      ...arrays,
      ...objects,
      ...(more.length > 0 && { allOf: more }),
    }
  }

  #types({ type, nullable, ...others }: Fields, path: string, infer: boolean): readonly string[] | string | undefined {
    if (type === undefined) {
      if (!infer || 'const' in others || 'enum' in others) return undefined
      const spoken = Object.entries(SPEAKING).filter(([, keywords]) => keywords.some(keyword => keyword in others))
      return spoken.length === 1 ? spoken[0]?.[0] : undefined
    }
    const given = Array.isArray(type) ? [...type] : [type]
    for (const name of given) {
      if (!TYPES.includes(name))
        throw refusal(path, 'type', `has ${JSON.stringify(name)}; expected ${TYPES.join(', ')}`)
    }
    if (given.length === 0) throw refusal(path, 'type', 'is an empty list; expected one type at least')
    if (nullable === true && !given.includes('null')) given.push('null')
    // What is said twice would be ambiguous.
    const types = given.includes('number') ? given.filter(name => name !== 'integer') : given
    return types.length === 1 ? types[0] : [...new Set(types)]
  }

  #applied(schema: Fields, keyword: string, use: Use): HeldSchema[] {
    const { path } = use
    const value = schema[keyword]
    switch (keyword) {
      case '$ref':
        return [this.#reference(value, use)]
      case 'allOf': {
        const list = schemas(value, path, keyword)
        const inner = { ...use, alone: use.alone && list.length === 1 }
        return list.map((part, i) => this.part(part, keyword, i, inner))
      }
      case 'anyOf':
        return [any(schemas(value, path, keyword).map((part, i) => this.part(part, keyword, i, use)))]
      case 'oneOf':
        return [holdOneOf(this, schemas(value, path, keyword), use)]
      case 'not':
        return [this.#inside(`${path}/not`, () => this.hold(this.negated(value, path, 'not'), use))]
      case 'if':
        return this.#condition(schema, use)
      default:
        return withDependents(schema, keyword, path).map(part => this.hold(part, use))
    }
  }

  part(part: unknown, keyword: string, i: number, use: Use): HeldSchema {
    const path = `${use.path}/${keyword}/${i}`
    return this.#inside(path, () => this.hold(part, { ...use, path }))
  }

  /** Runs with the path among those that are applied to one value. */
  #inside<T>(path: string, run: () => T): T {
    this.#inPlace.push(path)
    const result = run()
    this.#inPlace.pop()
    return result
  }

  negated(schema: unknown, path: string, keyword: string): unknown {
    return negated(schema, { path, keyword, resolve: this.resolve, steps: this.#negations })
  }

  #condition(schema: Fields, use: Use): HeldSchema[] {
    const { if: condition, then: yes = true, else: no = true } = schema
    if (yes === true && no === true) return []
    const both = (first: unknown, second: unknown) => ({ allOf: [first, second] })
    const not = this.negated(condition, use.path, 'if')
    const rewritten = { anyOf: [both(condition, yes), both(not, no)] }
    return [this.hold(rewritten, { ...use, alone: false })]
  }

  #reference(reference: unknown, use: Use): HeldSchema {
    const { path } = use
    const target = typeof reference === 'string' ? this.#references.resolve(reference, path) : undefined
    if (target === undefined) {
      const met = typeof reference === 'string' ? `is ${reference}, which is not in this schema` : 'is no text'
      throw refusal(path, '$ref', `${met}; expected a reference within it, such as #/$defs/name`)
    }
    if (this.#references.leadsBack(target.path))
      throw refusal(path, '$ref', 'leads back to itself without any value in between')
    // A definition has one form where it stands alone, and an open one elsewhere.
    const key = `${use.alone}:${target.path}`
    let name = this.#names.get(key)
    if (name === undefined) {
      name = `d${this.#names.size}`
      const known = name
      this.#names.set(key, name)
      this.#paths.set(name, target.path)
      this.#definitions.set(name, true)
      this.#open.push(() => {
        const start = { path: target.path, depth: 0, alone: use.alone }
        this.#definitions.set(
          known,
          this.#inside(target.path, () => this.hold(target.value, start)),
        )
      })
    }
    return { $ref: referenceTo(name) }
  }
}

/** Keywords by the type that they speak of. */
const SPEAKING = {
  object: ['properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['pattern', 'minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
}

/** A multiple of a whole number is one. */
function wholeNumbers(types: readonly string[] | string | undefined): readonly string[] {
  const given = typeof types === 'string' ? [types] : (types ?? TYPES.filter(type => type !== 'integer'))
  return [...new Set(given.map(type => (type === 'number' ? 'integer' : type)))]
}

function namesProperties(value: unknown, keyword: string): boolean {
  if (keyword === '$ref' || keyword === 'if' || keyword === 'dependentSchemas') return true
  if (keyword === 'not' || keyword === 'dependentRequired') return false
  if (keyword === 'dependencies') return Object.values(value as object).some(isObject)
  return Array.isArray(value) && value.some(part => speaksOfNames(part))
}

function speaksOfNames(part: unknown): boolean {
  if (!isObject(part)) return false
  if (NAMING.some(keyword => keyword in part)) return true
  return IN_PLACE.some(keyword => part[keyword] !== undefined && namesProperties(part[keyword], keyword))
}

function schemas(value: unknown, path: string, keyword: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value
  throw refusal(path, keyword, 'is no list of schemas')
}

/** Whether a property that has to be there can have no value. */
const demandsNothing = ({ required = [], properties = {} }: Fields): boolean =>
  (required as readonly string[]).some(
    name => Object.hasOwn(properties as Fields, name) && (properties as Fields)[name] === false,
  )
