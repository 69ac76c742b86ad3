import type { Located, Resolve } from './disjoint.ts'
import { FORMAT_PATTERNS } from './formats.ts'
import { ANNOTATIONS, isObject } from './json-schema.ts'
import { compilePattern, literalPattern } from './pattern.ts'
import { textsOf } from './scalars.ts'
import { ALL_TEXTS, both, type TextSet } from './text-sets.ts'
import { refusal } from './use.ts'

/** What names of properties have to be. */
export interface NameRule {
  readonly texts: TextSet
  /** The only ones; null: they are not listed. */
  readonly listed: readonly string[] | null
  allows(name: string): boolean
}

/** References and parts, one in the other. */
const MAX_DEPTH = 12
/** All of them. */
const MAX_STEPS = 500
const ANY: NameRule = { texts: ALL_TEXTS, listed: null, allows: () => true }
const NO_NAME: NameRule = { texts: ALL_TEXTS, listed: [], allows: () => false }

/** What a schema says of names. Throws SchemaError for what cannot be held of them. */
export function nameRule(
  names: Located,
  path: string,
  resolve: Resolve,
  depth = 0,
  steps = { left: MAX_STEPS },
): NameRule {
  const fail = (what: string) => refusal(path, 'propertyNames', what)
  if (depth > MAX_DEPTH) throw fail('is nested too deep')
  if (--steps.left < 0) throw fail(`has more than ${MAX_STEPS} rules`)
  const { value } = names
  if (value === true) return ANY
  if (value === false) return NO_NAME
  if (!isObject(value)) throw fail('is no schema')
  const again = (part: Located) => nameRule(part, path, resolve, depth + 1, steps)
  const { minLength = 0, maxLength = '' } = value as { minLength?: number; maxLength?: number }
  const rules = Object.entries(value).map(([key, rule]): NameRule => {
    switch (key) {
      case 'type':
        return [rule].flat().includes('string') ? ANY : NO_NAME
      case 'const':
      case 'enum':
        return listedRule(key === 'const' ? [rule] : rule, fail)
      case 'pattern':
        return patternRule(rule, path)
      case 'minLength':
      case 'maxLength':
        return patternRule(`^[\\s\\S]{${minLength},${maxLength}}$`, path)
      case 'format': {
        const pattern = FORMAT_PATTERNS[String(rule)]
        if (pattern === undefined) throw fail(`has the format ${JSON.stringify(rule)}, which cannot be held of names`)
        const text = `^(?:${pattern})$`
        const expression = compilePattern(text)
        return { texts: { all: [text], none: [] }, listed: null, allows: name => expression?.test(name) === true }
      }
      case '$ref': {
        const target = typeof rule === 'string' ? resolve(rule, names.path) : undefined
        if (target === undefined) throw fail(`refers to ${JSON.stringify(rule)}, which is not in this schema`)
        return again(target)
      }
      case 'allOf':
        if (!Array.isArray(rule)) throw fail('has an allOf that is no list')
        return all(rule.map((part, i) => again({ value: part, path: `${names.path}/allOf/${i}` })))
      case 'anyOf':
        if (!Array.isArray(rule)) throw fail('has an anyOf that is no list')
        return oneOf(
          rule.map((part, i) => again({ value: part, path: `${names.path}/anyOf/${i}` })),
          fail,
        )
      case 'not':
        return besides(again({ value: rule, path: `${names.path}/not` }), fail)
      default:
        if (ANNOTATIONS.has(key)) return ANY
        throw fail(
          `has ${key}, which cannot be held; expected pattern, enum, const, minLength, maxLength, format or not`,
        )
    }
  })
  return all(rules)
}

function listedRule(names: unknown, fail: (what: string) => Error): NameRule {
  if (!Array.isArray(names)) throw fail('has an enum that is no list')
  const listed = names.filter(name => typeof name === 'string')
  return { texts: ALL_TEXTS, listed, allows: name => listed.includes(name) }
}

function patternRule(pattern: unknown, path: string): NameRule {
  const texts = textsOf(pattern, path, 'propertyNames')
  const expression = compilePattern(pattern as string)
  return { texts, listed: null, allows: name => expression?.test(name) === true }
}

function all(rules: readonly NameRule[]): NameRule {
  const allows = (name: string) => rules.every(rule => rule.allows(name))
  const listed = rules.find(rule => rule.listed !== null)?.listed?.filter(allows) ?? null
  return { texts: rules.map(({ texts }) => texts).reduce(both, ALL_TEXTS), listed, allows }
}

/** Lists together are a list. */
function oneOf(rules: readonly NameRule[], fail: (what: string) => Error): NameRule {
  const [first] = rules
  if (rules.length === 1 && first) return first
  const listed = rules.flatMap(rule => {
    if (rule.listed === null) throw fail('has an anyOf whose parts are not all lists of names, which cannot be held')
    return rule.listed
  })
  return listedRule(listed, fail)
}

function besides(rule: NameRule, fail: (what: string) => Error): NameRule {
  const { all, none } = rule.texts
  const allows = (name: string) => !rule.allows(name)
  if (rule.listed) return { texts: { all: [], none: rule.listed.map(whole) }, listed: null, allows }
  if (all.length === 1 && none.length === 0) return { texts: { all: [], none: all }, listed: null, allows }
  if (all.length === 0 && none.length === 1) return { texts: { all: none, none: [] }, listed: null, allows }
  throw fail('excludes names by several rules at once, which cannot be held')
}

const whole = (name: string): string => `^${literalPattern(name)}$`
