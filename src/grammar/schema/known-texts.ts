import type { Located, Resolve } from './disjoint.ts'
import { ANNOTATIONS, isObject } from './json-schema.ts'
import { compilePattern } from './pattern.ts'

const RULES: ReadonlySet<string> = new Set(['type', 'pattern', 'minLength', 'maxLength'])
/** References one after the other. */
const MAX_REFERENCES = 12

/**
 * Where one schema has a few known texts and the other says of texts what can be tried out: those of the texts that the other does not
 * allow. Undefined: they are something else, or none is left.
 */
export function textsBesides(one: Located, other: Located, resolve: Resolve): readonly string[] | undefined {
  const [known, rules] = [target(one, resolve), target(other, resolve)]
  if (!isObject(known) || !isObject(rules)) return undefined
  const texts = 'const' in known ? [known.const] : known.enum
  if (!Array.isArray(texts) || !texts.every(text => typeof text === 'string')) return undefined
  if (!Object.keys(rules).every(key => RULES.has(key) || ANNOTATIONS.has(key))) return undefined
  const { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = rules
  const expression = typeof pattern === 'string' ? compilePattern(pattern) : /(?:)/
  if (!expression) return undefined
  const left = texts.filter(text => {
    const { length } = [...text]
    return !(length >= (minLength as number) && length <= (maxLength as number) && expression.test(text))
  })
  return left.length > 0 ? left : undefined
}

/** What references that stand alone lead to. */
function target({ value, path }: Located, resolve: Resolve, depth = 0): unknown {
  const alone = isObject(value) && Object.keys(value).every(key => key === '$ref' || ANNOTATIONS.has(key))
  if (!alone || typeof value.$ref !== 'string' || depth > MAX_REFERENCES) return value
  const next = resolve(value.$ref, path)
  return next ? target(next, resolve, depth + 1) : undefined
}
