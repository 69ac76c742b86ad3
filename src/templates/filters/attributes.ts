import { getItem } from '../values/attributes.ts'
import { toItems } from '../values/inspect.ts'
import { List, Undefined, type Value } from '../values/objects.ts'
import type { Work } from '../work.ts'

/** The parts of a path like `function.name` or `0.text`. */
function parts(attribute: Value): readonly Value[] {
  if (attribute === null) return []
  if (typeof attribute !== 'string') return [attribute]
  return attribute.split('.').map(part => (/^\p{Nd}+$/u.test(part) ? Number(part) : part))
}

/** Reads the item that a path leads to; `standard` takes the place of what is undefined on the way. */
export function attributeGetter(
  attribute: Value,
  finish: (work: Work, value: Value) => Value = (_, value) => value,
  standard: Value = null,
): (work: Work, item: Value) => Value {
  const path = parts(attribute)
  return (work, item) => {
    let found = item
    for (const part of path) {
      found = getItem(work, found, part)
      if (standard !== null && found instanceof Undefined) found = standard
    }
    return finish(work, found)
  }
}

/** As above for several paths, divided by commas: gives a list to sort by. */
export function attributesGetter(
  attribute: Value,
  finish: (work: Work, value: Value) => Value,
): (work: Work, item: Value) => Value {
  const paths = typeof attribute === 'string' ? attribute.split(',') : [attribute]
  const getters = paths.map(path => attributeGetter(path, finish))
  return (work, item) => new List(getters.map(get => get(work, item)))
}

/** Texts in lower case, all else as it is: how filters compare unless they are told otherwise. */
export function ignoreCase(caseSensitive: boolean): (work: Work, value: Value) => Value {
  return (work, value) => {
    if (caseSensitive || typeof value !== 'string') return value
    work.makeText(value.length)
    return value.toLowerCase()
  }
}

/** Items with what they are sorted or grouped by. */
export function keyed(
  work: Work,
  value: Value,
  key: (work: Work, item: Value) => Value,
): { item: Value; key: Value }[] {
  return toItems(work, value).map(item => ({ item, key: key(work, item) }))
}
