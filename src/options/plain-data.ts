import { OptionError } from '../errors.ts'
import { show } from './show.ts'

/** More than any conversation or list of tools has; beyond it, the copy would not end in useful time. */
const MOST_PARTS = 2_000_000
const DEEPEST = 200

/**
 * A copy of what crosses to another thread and into a template: text, numbers, true and false, null, undefined, lists, and
 * objects of these by their own fields. Throws OptionError naming the place of anything else, of a circle, and of what
 * cannot be read.
 */
export function plainData(value: unknown, name: string): unknown {
  let parts = 0
  const above = new Set<object>()

  const copy = (part: unknown, place: string): unknown => {
    if (part === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof part)) return part
    if (typeof part !== 'object') throw unfit(place, part)
    if (above.has(part)) throw new OptionError(`${place} contains itself; expected plain data without circles`)
    if (above.size === DEEPEST) throw new OptionError(`${name} is nested more than ${DEEPEST} deep`)
    above.add(part)
    const made = Array.isArray(part) ? copyList(part, place) : copyObject(part, place)
    above.delete(part)
    return made
  }
  const count = (more: number) => {
    parts += more
    if (!(parts <= MOST_PARTS)) throw new OptionError(`${name} has more than ${MOST_PARTS} parts`)
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

/** Runs what reads values of a caller: a getter or a proxy may throw anything. */
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
