import { FORMAT_LENGTHS, FORMAT_PATTERNS, FREE_FORMATS, IMPLIED_PATTERNS, NUMBER_FORMATS } from './formats.ts'
import { isObject, OUTSIDE, otherThan } from './json-schema.ts'
import { holdNumbers, isExact, isProblem } from './numbers.ts'
import { PatternProblem } from './pattern.ts'
import { ALL_TEXTS, both, outside, patternOf, type TextSet, textsWith } from './text-sets.ts'
import { count, refusal } from './use.ts'

type Fields = { readonly [keyword: string]: unknown }
type Held = Record<string, unknown>

/** Control characters that JSON writes without \u: the output has no other ones. */
const SHORT = '\b\t\n\f\r'

const writable = (text: string): boolean =>
  !/\p{Surrogate}/u.test(text) && ![...text].some(one => (one < ' ' || one === '\u007f') && !SHORT.includes(one))

/** Most values of an enum. */
const MAX_VALUES = 5000

/** `const` and `enum`. False if there is no value. */
export function holdValues(schema: Fields, path: string): Held | false {
  const held: Held = {}
  if ('const' in schema) {
    checkWritable(schema.const, path, 'const')
    held.const = schema.const
  }
  if (schema.enum !== undefined) {
    if (!Array.isArray(schema.enum)) throw refusal(path, 'enum', 'is no list')
    if (schema.enum.length === 0) return false
    if (schema.enum.length > MAX_VALUES) {
      throw refusal(path, 'enum', `has ${schema.enum.length} values; expected at most ${MAX_VALUES}`)
    }
    for (const value of schema.enum) checkWritable(value, path, 'enum')
    held.enum = schema.enum
  }
  return held
}

function checkWritable(value: unknown, path: string, keyword: string): void {
  if (typeof value === 'string' && !writable(value)) {
    throw refusal(path, keyword, 'has a control character or half a surrogate pair in a string')
  }
  if (typeof value === 'number' && !isExact(value)) {
    throw refusal(path, keyword, `has ${value}; expected numbers of at most 15 digits`)
  }
  if (Array.isArray(value)) for (const item of value) checkWritable(item, path, keyword)
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      checkWritable(name, path, keyword)
      checkWritable(item, path, keyword)
    }
  }
}

export function holdNumbersOf(schema: Fields, path: string): Held {
  const range = typeof schema.format === 'string' ? NUMBER_FORMATS[schema.format] : undefined
  const held = holdNumbers(schema, range)
  if (isProblem(held)) throw refusal(path, held.keyword, `is ${JSON.stringify(schema[held.keyword])}; ${held.what}`)
  return held
}

export function holdStrings(schema: Fields, path: string): Held {
  const held: Held = {}
  const min = count(schema, 'minLength', path)
  let max = count(schema, 'maxLength', path)
  const { format, pattern: demanded } = schema
  const isImplied = typeof format === 'string' && demanded === IMPLIED_PATTERNS[format]
  let texts = demanded === undefined || isImplied ? ALL_TEXTS : textsOf(demanded, path, 'pattern')
  if (format !== undefined) {
    if (typeof format !== 'string') throw refusal(path, 'format', 'is no text')
    const pattern = FORMAT_PATTERNS[format]
    if (pattern !== undefined) texts = both(texts, { all: [`^(?:${pattern})$`], none: [] })
    else if (!FREE_FORMATS.has(format) && NUMBER_FORMATS[format] === undefined && !hasPattern(schema)) {
      const known = [...Object.keys(FORMAT_PATTERNS), ...FREE_FORMATS, ...Object.keys(NUMBER_FORMATS)].join(', ')
      throw refusal(path, 'format', `is ${JSON.stringify(format)}; expected ${known}, or a pattern`)
    }
    const longest = FORMAT_LENGTHS[format]
    if (longest !== undefined) max = Math.min(longest, max ?? longest)
  }
  if (min !== undefined) held.minLength = min
  if (max !== undefined) held.maxLength = max
  const { [OUTSIDE]: other } = schema as { readonly [OUTSIDE]?: string }
  const sets = other === undefined ? [ALL_TEXTS] : outside(textsOf(other, path, 'pattern'))
  const ways = sets.map(set => patternOf(both(texts, set)))
  if (ways.length > 1) held.allOf = [{ anyOf: ways.map(pattern => ({ type: 'string', pattern })) }]
  else if (ways[0] === undefined) held.allOf = [otherThan('string', schema.type)]
  else if (ways[0] !== '') held.pattern = ways[0]
  return held
}

/** A pattern beside a format is how its makers say what it is; zod has several in `allOf`. */
const hasPattern = ({ pattern, allOf }: Fields): boolean =>
  pattern !== undefined || (Array.isArray(allOf) && allOf.some(part => isObject(part) && part.pattern !== undefined))

/** The texts that a pattern is found in. Throws SchemaError. */
export function textsOf(pattern: unknown, path: string, keyword: string): TextSet {
  if (typeof pattern !== 'string') throw refusal(path, keyword, 'is no text')
  try {
    return textsWith(pattern)
  } catch (problem) {
    if (!(problem instanceof PatternProblem)) throw problem
    throw refusal(path, keyword, `${JSON.stringify(pattern)} ${problem.message}; expected ${problem.expected}`)
  }
}
