/** Texts that stand as they are, between marks: what a schema says of them, as an expression of a terminal in Lark. */
import { isObject } from './schema/json-schema.ts'
import { holdStrings } from './schema/scalars.ts'
import { alternatives, setOf } from './schema/text-sets.ts'
import { refusal } from './schema/use.ts'

type Schema = Readonly<Record<string, unknown>>

/** What is held of a text; `lists`: it is one of the values of each; `terms`: it matches all of these. */
interface HeldTexts {
  readonly minLength: number
  readonly maxLength: number | undefined
  readonly lists: readonly (readonly unknown[])[]
  readonly terms: readonly string[]
}

/** Schemas of one text: references may lead to the same ones again and again. */
const MAX_STEPS = 500
type Steps = { left: number }

/** Schemas of a `oneOf`, each of which is said without all others. */
const MAX_ONE_OF = 16
/** Characters of an expression: choices and conditions write some of their parts several times, one in the other. */
const MAX_EXPRESSION = 500_000
const ANY = '/(?s:.*)/'
const NOTHING = `(~${ANY})`

/** Throws SchemaError for what cannot be held. */
export function holdTexts(schema: Schema, path: string, steps = { left: MAX_STEPS }): HeldTexts {
  if (--steps.left < 0) throw refusal(path, 'allOf', `leads to more than ${MAX_STEPS} schemas`)
  if (schema.$ref !== undefined)
    throw refusal(path, '$ref', `is ${JSON.stringify(schema.$ref)}, which is not in this schema`)
  const inner = listOf(schema.allOf).map(part => (isObject(part) ? holdTexts(part, path, steps) : unlessAll(part)))
  const {
    minLength = 0,
    maxLength,
    pattern = '',
  } = holdStrings(schema, path) as {
    minLength?: number
    maxLength?: number
    pattern?: string
  }
  const { all, none } = setOf(pattern)
  const most = [maxLength, ...inner.map(one => one.maxLength)].filter(value => value !== undefined)
  const own = 'const' in schema ? [[schema.const]] : Array.isArray(schema.enum) ? [schema.enum] : []
  const listed = choicesOf(schema)
  return {
    minLength: Math.max(minLength, ...inner.map(one => one.minLength)),
    maxLength: most.length > 0 ? Math.min(...most) : undefined,
    lists: [...own, ...listed.lists, ...inner.flatMap(({ lists }) => lists)],
    terms: [
      ...(takesTexts(schema.type) ? [] : [NOTHING]),
      ...all.map(one => expression(wholePattern(one))),
      ...none.map(one => `~${expression(wholePattern(one))}`),
      ...inner.flatMap(({ terms }) => terms),
      ...listed.others.map(keyword => choice(schema, keyword, path, steps)),
      ...(schema.not === undefined ? [] : [`~${term(schema.not, path, steps)}`]),
      ...(schema.if === undefined ? [] : [condition(schema, path, steps)]),
    ],
  }
}

const unlessAll = (part: unknown): HeldTexts => {
  const terms = part === false ? [NOTHING] : []
  return { minLength: 0, maxLength: undefined, lists: [], terms }
}

/** Choices between listed values are a list. */
function choicesOf(schema: Schema): { readonly lists: unknown[][]; readonly others: readonly ('anyOf' | 'oneOf')[] } {
  const lists: unknown[][] = []
  const others: ('anyOf' | 'oneOf')[] = []
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    if (!Array.isArray(schema[keyword])) continue
    const each = (schema[keyword] as readonly unknown[]).map(valuesIn)
    if (each.some(values => values === undefined)) {
      others.push(keyword)
      continue
    }
    const all = each.flatMap(values => [...new Set(values)])
    const counts = new Map<unknown, number>()
    for (const value of all) counts.set(value, (counts.get(value) ?? 0) + 1)
    lists.push(keyword === 'anyOf' ? all : all.filter(value => counts.get(value) === 1))
  }
  return { lists, others }
}

/** The values that a schema lists and of which it says nothing else. */
function valuesIn(schema: unknown): readonly unknown[] | undefined {
  if (!isObject(schema)) return undefined
  const { type, ...rest } = schema
  const [keyword, ...others] = Object.keys(rest)
  if (others.length > 0 || !takesTexts(type)) return undefined
  if (keyword === 'const') return [rest.const]
  return keyword === 'enum' && Array.isArray(rest.enum) ? rest.enum : undefined
}

/** A schema as one expression, in parentheses. */
function term(schema: unknown, path: string, steps: Steps): string {
  if (!isObject(schema)) return schema === false ? NOTHING : ANY
  const { minLength, maxLength, lists, terms } = holdTexts(schema, path, steps)
  const values = lists.map(list => {
    const texts = list.filter(value => typeof value === 'string')
    return texts.length > 0 ? `(${texts.map(text => literalTerm(text as string)).join(' | ')})` : NOTHING
  })
  const all = [...terms, ...lengths(minLength, maxLength), ...values]
  return all.length > 0 ? joined(all, ' & ', path, 'allOf') : ANY
}

/** Parts as one expression, in parentheses. Throws SchemaError where it becomes too long. */
function joined(parts: readonly string[], sign: string, path: string, keyword: string): string {
  const length = parts.reduce((sum, part) => sum + part.length + sign.length, 2)
  if (length <= MAX_EXPRESSION) return `(${parts.join(sign)})`
  throw refusal(path, keyword, `becomes ${length} characters of a grammar; expected at most ${MAX_EXPRESSION}`)
}

function choice(schema: Schema, keyword: 'anyOf' | 'oneOf', path: string, steps: Steps): string {
  const parts = listOf(schema[keyword]).map(part => term(part, path, steps))
  if (keyword === 'anyOf') return joined(parts, ' | ', path, keyword)
  if (parts.length > MAX_ONE_OF)
    throw refusal(path, 'oneOf', `has ${parts.length} schemas; expected at most ${MAX_ONE_OF}`)
  const without = (i: number) => parts.map((part, k) => (k === i ? part : `~${part}`))
  const ways = parts.map((_, i) => joined(without(i), ' & ', path, keyword))
  return joined(ways, ' | ', path, keyword)
}

function condition({ if: given, then: yes = true, else: no = true }: Schema, path: string, steps: Steps): string {
  const [one, met, other] = [given, yes, no].map(part => term(part, path, steps))
  return joined([`(${one} & ${met})`, `(~${one} & ${other})`], ' | ', path, 'if')
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const takesTexts = (type: unknown): boolean => type === undefined || [type].flat().includes('string')

/** A text of its own as a terminal; an empty one is an expression, as Lark has no empty string. */
const literalTerm = (text: string): string => (text === '' ? '/(?:)/' : JSON.stringify(text))

/** A pattern that may match anywhere, as one of the whole text. */
function wholePattern(pattern: string): string {
  return alternatives(pattern)
    .map(one => {
      const [begins, ends] = [one.startsWith('^'), one.endsWith('$')]
      const inner = one.slice(begins ? 1 : 0, ends ? -1 : undefined)
      return `${begins ? '' : '(?s:.*)'}(?:${inner})${ends ? '' : '(?s:.*)'}`
    })
    .join('|')
}

/** An expression of texts of these lengths; none: there is no bound. */
export const lengths = (min: number, max: number | undefined): string[] =>
  min > 0 || max !== undefined ? [`/(?s:.{${min},${max ?? ''}})/`] : []

/** A pattern as an expression of Lark, between slashes. */
export const expression = (pattern: string): string =>
  `/${pattern.replace(/\\.|\//gs, part => (part === '/' ? '\\/' : part)).replaceAll('\n', '\\n')}/`
