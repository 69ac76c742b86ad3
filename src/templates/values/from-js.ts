import { plainData } from '../../options/plain-data.ts'
import { numberFrom } from './inspect.ts'
import { Dict, type DictKey, List, type Value } from './objects.ts'

/**
 * A value of JavaScript as a template sees it, as JSON would carry it: a key whose value is undefined is not there.
 * Throws OptionError, naming the place, for what is no plain data.
 */
export function fromJs(value: unknown, name: string): Value {
  return convert(plainData(value, name))
}

function convert(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return numberFrom(value)
  if (Array.isArray(value)) return new List(value.map(convert))
  if (typeof value !== 'object' || value === null) return null
  const entries = new Map<DictKey, readonly [Value, Value]>()
  for (const [key, inner] of Object.entries(value)) {
    if (inner !== undefined) entries.set(key, [key, convert(inner)])
  }
  return new Dict(entries)
}
