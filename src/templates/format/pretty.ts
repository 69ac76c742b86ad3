import { Fault } from '../errors.ts'
import { compare } from '../values/compare.ts'
import { Dict, List, Tuple, type Value } from '../values/objects.ts'
import { sortItems } from '../values/sort.ts'
import type { Work } from '../work.ts'
import { repr } from './print.ts'

const WIDTH = 80

/** Python's pprint.pformat(value): in one line where it fits, else an item a line. */
export function pretty(work: Work, value: Value): string {
  return layout(work, sortedKeys(work, value), 0, 0)
}

/** Dicts in the order of their keys, where these have one. */
function sortedKeys(work: Work, value: Value): Value {
  work.spend(1)
  if (value instanceof List) return new List(value.items.map(item => sortedKeys(work, item)))
  if (value instanceof Tuple) return new Tuple(value.items.map(item => sortedKeys(work, item)))
  if (!(value instanceof Dict)) return value
  const pairs = [...value.entries].map(([form, [key, item]]) => [form, [key, sortedKeys(work, item)]] as const)
  const order = (a: Value, b: Value) => {
    try {
      return compare(work, a, b)
    } catch (error) {
      if (error instanceof Fault) return 0
      throw error
    }
  }
  return new Dict(new Map(sortItems(pairs, ([, [a]], [, [b]]) => order(a, b))))
}

function layout(work: Work, value: Value, indent: number, after: number): string {
  const line = repr(work, value)
  if (line.length <= WIDTH - indent - after) return line
  const inner = indent + 1
  const blanks = `,\n${' '.repeat(inner)}`
  if (value instanceof List || (value instanceof Tuple && value.items.length > 1)) {
    const last = value.items.length - 1
    const parts = value.items.map((item, i) => layout(work, item, inner, i === last ? after + 1 : 1))
    const [open, close] = value instanceof List ? '[]' : '()'
    return joined(work, open!, parts, blanks, close!)
  }
  if (value instanceof Dict) {
    const pairs = [...value.entries.values()]
    const parts = pairs.map(([key, item], i) => {
      const name = repr(work, key)
      return `${name}: ${layout(work, item, inner + name.length + 2, i === pairs.length - 1 ? after + 1 : 1)}`
    })
    return joined(work, '{', parts, blanks, '}')
  }
  return line
}

function joined(work: Work, open: string, parts: readonly string[], between: string, close: string): string {
  work.makeText(parts.reduce((sum, part) => sum + part.length + between.length, 2))
  return open + parts.join(between) + close
}
