import { OptionError } from '../errors.ts'
import { show } from './show.ts'

/** More than any conversation or list of tools has. Beyond it, copying would take too long. */
const MAX_PARTS = 2_000_000
const MAX_DEPTH = 200

/**
 * A deep copy of plain data, for another thread or a template: text, numbers, true and false, null, undefined, lists, and
 * objects of these (own fields only). Throws OptionError naming the place of any other value, of a cycle, and of a field
 * that cannot be read.
 */
export function plainData(value: unknown, name: string): unknown {
  let parts = 0
  const above = new Set<object>()

  const copy = (part: unknown, place: string): unknown => {
    if (part === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof part)) return part
    if (typeof part !== 'object') throw unfit(place, part)
    if (above.has(part)) throw new OptionError(`${place} contains itself; expected plain data without circles`)
    if (above.size === MAX_DEPTH) throw new OptionError(`${name} is nested more than ${MAX_DEPTH} deep`)
    above.add(part)
    const made = Array.isArray(part) ? copyList(part, place) : copyObject(part, place)
    above.delete(part)
    return made
  }
  const count = (more: number) => {
    parts += more
    if (!(parts <= MAX_PARTS)) throw new OptionError(`${name} has more than ${MAX_PARTS} parts`)
  }
  const copyList = (list: readonly unknown[], place: string): unknown[] => {
    const { length } = list
    count(length)
    return Array.from({ length }, (_, i) => copy(list[i], `${place}[${i}]`))
  }
  const copyObject = (object: object, place: string): object => {
    if (Object.prototype.toString.call(object) !== '[object Object]') throw unfit(place, object)
    const keys = Object.keys(object)
    count(keys.length)
    const field = (key: string) => (/^[\w$]{1,60}$/.test(key) ? `${place}.${key}` : `${place}[${show(key)}]`)
    return Object.fromEntries(keys.map(key => [key, copy(Reflect.get(object, key), field(key))]))
  }
  return readable(name, () => copy(value, name))
}

/** Runs `read`, which reads a caller's values, and turns whatever a getter or proxy throws into an OptionError. */
export function readable<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof OptionError) throw error
    const why = error instanceof Error ? error.message : show(error)
    throw new OptionError(`${name} cannot be read: ${why}`, { cause: error })
  }
}

function unfit(place: string, value: unknown): OptionError {
  const expected = 'expected plain data: text, numbers, true or false, null, lists and objects of these'
  return new OptionError(`${place} is ${show(value)}; ${expected}`)
}
