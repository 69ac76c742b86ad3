/** Values of JSON as their texts were written, compared as JSON Schema compares them. */

export interface Value {
  /** Equal for equal values, and only for them. */
  readonly key: string
  readonly kind: 'string' | 'number' | 'name' | 'array' | 'object'
  /** Of a string, what is between its quotes, escapes as they were written; of a number or a name, its characters. */
  readonly text: string
  readonly items: readonly Value[]
  readonly properties: ReadonlyMap<string, Value>
}

const NO_ITEMS: readonly Value[] = []
const NO_PROPERTIES: ReadonlyMap<string, Value> = new Map()

/** A string has one spelling only: see `JSON_OPTIONS`. */
export const stringValue = (text: string): Value => ({
  key: `"${text}"`,
  kind: 'string',
  text,
  items: NO_ITEMS,
  properties: NO_PROPERTIES,
})

/** A number, true, false or null. 1 and 1.0 are equal, as are numbers that JavaScript reads as the same one. */
export function plainValue(text: string): Value {
  const isName = /^[tfn]/.test(text)
  const key = isName ? text : String(Number(text) + 0)
  return { key, kind: isName ? 'name' : 'number', text, items: NO_ITEMS, properties: NO_PROPERTIES }
}

export const listValue = (items: readonly Value[]): Value => ({
  key: `[${items.map(({ key }) => key).join()}]`,
  kind: 'array',
  text: '',
  items,
  properties: NO_PROPERTIES,
})

/** The order of properties does not count; of those with one name, the last does. */
export function objectValue(properties: ReadonlyMap<string, Value>): Value {
  const sorted = [...properties].sort(([a], [b]) => (a < b ? -1 : 1))
  const key = `{${sorted.map(([name, value]) => `"${name}":${value.key}`).join()}}`
  return { key, kind: 'object', text: '', items: NO_ITEMS, properties }
}

/** Digits that tell numbers apart for certain. */
const DIGITS = 15

/** Whether the characters of a number or a name may become the text of the value. */
export function mayBecome(text: string, value: Value): boolean {
  if (value.kind === 'name') return value.text.startsWith(text)
  return value.kind === 'number' && !/^[tfn]/.test(text) && mayBecomeNumber(text, value.text)
}

function mayBecomeNumber(begun: string, text: string): boolean {
  const [wanted, whole] = [digitsOf(text), digitsOf(begun)]
  if (whole === '') return true
  if (wanted !== '' && text.startsWith('-') !== begun.startsWith('-')) return false
  // An exponent may shift the point, so the digits count alone.
  const padded = (digits: string) => digits.slice(0, DIGITS).padEnd(DIGITS, '0')
  if (/[eE]/.test(begun)) return padded(wanted) === padded(whole)
  return padded(wanted).startsWith(whole.slice(0, DIGITS))
}

/** From the first digit that is not 0 on. */
const digitsOf = (text: string): string =>
  text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
