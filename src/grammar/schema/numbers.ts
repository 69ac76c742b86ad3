/** Bounds of numbers, such that the library holds them and JavaScript reads the numbers exactly. */
import { isObject, type JsonSchema } from './json-schema.ts'

/** 15 digits are held exactly. Unbounded numbers keep below by the library; here, what has one bound gets the other. */
const LIMIT = 999_999_999_999_999
/** The library keeps each remainder apart; beside bounds, once more for each of their digits. */
const MAX_FACTOR = 10_000
const MAX_BOUNDED_FACTOR = 5000
const MAX_MULTIPLE = 1e9

export interface NumberProblem {
  readonly keyword: string
  readonly what: string
}

type Fields = Exclude<JsonSchema, boolean>

/** The bounds and factors of a schema; a problem for those that cannot be held. */
export function holdNumbers(schema: Fields, range?: readonly [number, number]): Record<string, number> | NumberProblem {
  for (const keyword of ['minimum', 'maximum', 'multipleOf', 'exclusiveMinimum', 'exclusiveMaximum']) {
    const value = schema[keyword]
    if (value === undefined || (typeof value === 'boolean' && keyword.startsWith('exclusive'))) continue
    if (typeof value !== 'number') return { keyword, what: 'expected a number' }
    if (Math.abs(value) < LIMIT && !isExact(value)) return { keyword, what: 'expected a number of at most 15 digits' }
  }
  let { minimum: low, maximum: high } = schema as { minimum?: number; maximum?: number }
  let [above, below] = [schema.exclusiveMinimum, schema.exclusiveMaximum]
  // Draft 4: flags of the bound beside them.
  if (typeof above === 'boolean') {
    above = above ? low : undefined
    if (above !== undefined) low = undefined
  }
  if (typeof below === 'boolean') {
    below = below ? high : undefined
    if (below !== undefined) high = undefined
  }
  if (range) {
    low = Math.max(range[0], low ?? range[0])
    high = Math.min(range[1], high ?? range[1])
  }
  const held: Record<string, number> = {}
  const lows = [low, above].filter(value => value !== undefined) as number[]
  const highs = [high, below].filter(value => value !== undefined) as number[]
  if (Math.max(...lows) > LIMIT) return { keyword: lowName(above), what: `expected at most ${LIMIT}` }
  if (Math.min(...highs) < -LIMIT) return { keyword: highName(below), what: `expected at least ${-LIMIT}` }
  if (lows.length + highs.length > 0) {
    held.minimum = Math.max(low ?? -LIMIT, -LIMIT)
    held.maximum = Math.min(high ?? LIMIT, LIMIT)
    if (above !== undefined && (above as number) >= -LIMIT) held.exclusiveMinimum = above as number
    if (below !== undefined && (below as number) <= LIMIT) held.exclusiveMaximum = below as number
    holdWhole(held, Math.min(...highs), Math.max(...lows))
  }
  const { multipleOf } = schema as { multipleOf?: number }
  if (multipleOf !== undefined) {
    if (!(multipleOf > 0)) return { keyword: 'multipleOf', what: 'expected a number above 0' }
    const isBounded = lows.length + highs.length > 0
    const most = isBounded ? MAX_BOUNDED_FACTOR : MAX_FACTOR
    const coefficient = Number(String(multipleOf).replace('.', ''))
    if (!(coefficient <= most) || /e/.test(String(multipleOf))) {
      const beside = isBounded ? ' beside bounds' : ''
      return { keyword: 'multipleOf', what: `expected at most ${most}${beside}, digits after the point counted too` }
    }
    held.multipleOf = multipleOf
    // Of greater numbers, division does not tell whether they are multiples.
    if (!Number.isInteger(multipleOf)) {
      held.minimum = Math.max(held.minimum ?? -LIMIT, -MAX_MULTIPLE * multipleOf)
      held.maximum = Math.min(held.maximum ?? LIMIT, MAX_MULTIPLE * multipleOf)
    }
  }
  return held
}

/**
 * A whole number that is excluded, where the other bound has the same digits before the point: the library allows it, so that the range begins
 * a little further on.
 */
function holdWhole(held: Record<string, number>, high: number, low: number): void {
  const { exclusiveMinimum: above, exclusiveMaximum: below } = held
  if (above !== undefined && Number.isInteger(above) && above >= 0 && high < above + 1) {
    held.minimum = Math.max(held.minimum as number, above + stepBeside(above, high))
    delete held.exclusiveMinimum
  }
  if (below !== undefined && Number.isInteger(below) && below <= 0 && low > below - 1) {
    held.maximum = Math.min(held.maximum as number, below - stepBeside(below, low))
    delete held.exclusiveMaximum
  }
}

/** Of three more digits than the other bound has, as far as 15 digits go. */
function stepBeside(whole: number, other: number): number {
  const [, digits = ''] = String(other).split('.')
  return 10 ** -Math.min(digits.length + 3, 15 - String(Math.abs(whole)).length)
}

const lowName = (above: unknown) => (above === undefined ? 'minimum' : 'exclusiveMinimum')
const highName = (below: unknown) => (below === undefined ? 'maximum' : 'exclusiveMaximum')

/** Whether the library reads a number exactly: at most 15 digits, and not too small. */
export const isExact = (value: number): boolean => {
  const text = String(Math.abs(value))
  return (
    Number.isSafeInteger(value) || (/^[\d.]{1,20}$/.test(text) && text.replace('.', '').replace(/^0+/, '').length <= 15)
  )
}

export const isProblem = (held: Record<string, number> | NumberProblem): held is NumberProblem =>
  isObject(held) && typeof (held as { keyword?: unknown }).keyword === 'string'
