import { any, type HeldSchema, otherThan } from './json-schema.ts'
import { count, refusal } from './use.ts'

/** Most ways in which properties that may be left out are chosen. */
const MAX_WAYS = 128

interface Sized {
  readonly properties: ReadonlyMap<string, HeldSchema>
  readonly required: readonly string[]
  /** No properties but the named ones may come. */
  readonly closed: boolean
}

/**
 * `minProperties` and `maxProperties`. The library counts where no named property may be left out; elsewhere each choice of those that come is
 * a schema. Throws SchemaError where there are too many choices.
 */
export function holdSizes(
  schema: { readonly [keyword: string]: unknown },
  path: string,
  { properties, required, closed }: Sized,
): Record<string, unknown> {
  let min = count(schema, 'minProperties', path)
  let max = count(schema, 'maxProperties', path)
  const optional = [...properties]
    .filter(([name, part]) => part !== false && !required.includes(name))
    .map(([name]) => name)
  if (min !== undefined && min <= required.length) min = undefined
  if (max !== undefined && closed && max >= required.length + optional.length) max = undefined
  if (min === undefined && max === undefined) return {}
  const least = Math.max((min ?? 0) - required.length, 0)
  const bounds = {
    ...(min !== undefined && { minProperties: min }),
    ...(max !== undefined && { maxProperties: max }),
  }
  if (optional.length === 0) {
    // A name that is written twice counts once.
    if (least <= 1) return bounds
    throw refusal(path, 'minProperties', `is ${min}; expected at most one more than the properties that are required`)
  }
  if (closed && least <= 1 && (max ?? required.length + 1) === required.length + 1) return bounds
  /** One of these, or no object. */
  const chosen = (ways: readonly HeldSchema[]) => ({
    allOf: [ways.length > 0 ? any(ways) : otherThan('object', schema.type)],
  })
  const without = (names: readonly string[]) => Object.fromEntries(names.map(name => [name, false]))
  const besides = { properties: without(optional), ...bounds }
  const keyword = max === undefined ? 'minProperties' : 'maxProperties'
  const refused = refusal(
    path,
    keyword,
    'stands beside too many properties that are not required; require more of them',
  )
  if (max === undefined) {
    const named = choices(optional, least, refused).map(names => ({ required: names }))
    if (named.length === 0 && !closed) {
      const most = required.length + optional.length
      throw refusal(path, 'minProperties', `is ${min}; expected at most the ${most} properties that are named`)
    }
    return chosen(closed || least > 1 ? named : [...named, besides])
  }
  const most = Math.min(max - required.length, optional.length)
  if (most < 0) return chosen([])
  const ways: HeldSchema[] = []
  for (let size = 0; size <= most; size++) {
    // The others that are missing would have other names.
    if (size < least && (closed || least - size > 1)) continue
    for (const names of choices(optional, size, refused)) {
      const left = optional.filter(name => !names.includes(name))
      ways.push({ required: names, properties: without(left), ...(closed ? {} : bounds) })
    }
    if (ways.length > MAX_WAYS) throw refused
  }
  return chosen(ways)
}

/** Each choice of so many names, in their order. Throws `refused` where there are too many. */
function choices(names: readonly string[], size: number, refused: Error): string[][] {
  if (size === 0) return [[]]
  const found = names.flatMap((name, i) =>
    names.length - i < size ? [] : choices(names.slice(i + 1), size - 1, refused).map(others => [name, ...others]),
  )
  if (found.length > MAX_WAYS) throw refused
  return found
}
