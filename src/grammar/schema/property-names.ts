import type { Resolve } from './disjoint.ts'
import { all, type HeldSchema } from './json-schema.ts'
import { nameRule } from './name-rules.ts'
import { compilePattern } from './pattern.ts'
import { both, outside, patternOf, type TextSet } from './text-sets.ts'
import { refusal } from './use.ts'

/** The values of properties whose name a pattern is found in. */
export interface NamedByPattern {
  /** As it is written. */
  readonly pattern: string
  readonly texts: TextSet
  readonly schema: HeldSchema
}

/** What an object says of its properties, by name. */
export interface PropertyRules {
  readonly properties: Map<string, HeldSchema>
  readonly patterns: readonly NamedByPattern[]
  /** Of those that neither names; undefined: nothing is said of them. */
  readonly others: HeldSchema | undefined
}

/** `propertyNames`: names that do not fit are not allowed. Throws SchemaError for what cannot be held of names. */
export function restrictNames(
  names: unknown,
  path: string,
  resolve: Resolve,
  required: readonly string[],
  { properties, patterns, others }: PropertyRules,
): PropertyRules {
  const rule = nameRule({ value: names, path: `${path}/propertyNames` }, path, resolve)
  const { texts, listed } = rule
  if (listed === null && texts.all.length + texts.none.length === 0) return { properties, patterns, others }
  for (const name of properties.keys()) if (!rule.allows(name)) properties.set(name, false)
  if (required.some(name => !rule.allows(name))) {
    throw refusal(path, 'propertyNames', 'forbids a property that is required')
  }
  if (listed) {
    for (const name of [...properties.keys(), ...listed]) {
      if (properties.get(name) === false) continue
      const of = patterns.filter(({ pattern }) => compilePattern(pattern)?.test(name)).map(({ schema }) => schema)
      const own = properties.get(name)
      const said = own === undefined ? (of.length === 0 ? [others ?? true] : of) : [own, ...of]
      properties.set(name, said.length === 1 ? (said[0] as HeldSchema) : { allOf: said })
    }
    return { properties, patterns: [], others: false }
  }
  const within = patterns.map(one => ({ ...one, texts: both(one.texts, texts) }))
  const rest = restOf(patterns, texts)
  const open = others === false || rest === null ? [] : [{ pattern: '', texts: rest, schema: others ?? true }]
  return { properties, patterns: [...within, ...open], others: false }
}

/** Texts that none of the patterns is found in; null: there are none, or they cannot be said. */
function restOf(patterns: readonly NamedByPattern[], texts: TextSet): TextSet | null {
  let rest = texts
  for (const { texts: one } of patterns) {
    const ways = outside(one).filter(set => !set.none.some(isEverything))
    if (ways.length !== 1) return null
    rest = both(rest, ways[0] as TextSet)
  }
  return rest
}

const isEverything = (pattern: string) =>
  /^(?:\^|\$|\^?\.\*\$?)?$/.test(pattern.replace('[^\\n\\r\\x{2028}\\x{2029}]', '.'))

/** Most patterns that may be found in one name. */
const MAX_AT_ONCE = 3

/**
 * Patterns by which each name has one schema, as the library wants them: where several may be found in one name, those names that have one,
 * and those that have several of them.
 */
export function apart(patterns: readonly NamedByPattern[]): Map<string, HeldSchema> {
  const found = new Map<string, HeldSchema>()
  const overlap = patterns.some((one, i) => patterns.slice(i + 1).some(other => mayMeet(one.pattern, other.pattern)))
  if (!overlap || patterns.length > MAX_AT_ONCE) {
    // Two spellings may be one pattern.
    for (const { texts, schema } of patterns) {
      const key = patternOf(texts)
      found.set(key, all([found.get(key) ?? true, schema]))
    }
    return found
  }
  for (let bits = 1; bits < 2 ** patterns.length; bits++) {
    let sets: TextSet[] = [{ all: [], none: [] }]
    const schemas: HeldSchema[] = []
    for (const [i, { texts, schema }] of patterns.entries()) {
      const has = (bits >> i) & 1
      if (has) schemas.push(schema)
      const these = has ? [texts] : outside(texts)
      sets = sets.flatMap(set => these.map(one => both(set, one)))
    }
    // What is left out may overlap where it has several ways, which the library refuses.
    for (const set of sets)
      found.set(patternOf(set), schemas.length === 1 ? (schemas[0] as HeldSchema) : { allOf: schemas })
  }
  return found
}

/** Whether one name may have both: not where they begin with different characters. */
function mayMeet(a: string, b: string): boolean {
  const [first, second] = [firstOf(a), firstOf(b)]
  return first === undefined || second === undefined || first === second
}

/** The character that a name begins with if the pattern is found in it. */
function firstOf(pattern: string): string | undefined {
  if (/\|/.test(pattern)) return undefined
  return /^\^(?:\\(?=\W))?([^\\[(.^$|?*+{])(?![?*{])/.exec(pattern)?.[1]
}
