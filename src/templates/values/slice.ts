import { typeError, valueError } from '../errors.ts'
import type { Work } from '../work.ts'
import { textOf, typeName } from './inspect.ts'
import { isInt, toIndex } from './numbers.ts'
import { List, Range, Tuple, Undefined, type Value } from './objects.ts'
import { characters, substring, textLength } from './text.ts'

export interface Bounds {
  readonly start: Value
  readonly stop: Value
  readonly step: Value
}

function bound(value: Value): number | undefined {
  if (value === null) return undefined
  if (isInt(value)) return toIndex(value)
  throw typeError('slice indices must be integers or None or have an __index__ method')
}

/** Positions that a slice takes of a sequence of this length: the first, one behind the last, the step. */
function resolve(bounds: Bounds, length: number): { start: number; stop: number; step: number } {
  const step = bound(bounds.step) ?? 1
  if (step === 0) throw valueError('slice step cannot be zero')
  const [lowest, highest] = step > 0 ? [0, length] : [-1, length - 1]
  const place = (at: number | undefined, usual: number) =>
    at === undefined ? usual : Math.min(highest, Math.max(lowest, at < 0 ? at + length : at))
  const start = place(bound(bounds.start), step > 0 ? lowest : highest)
  const stop = place(bound(bounds.stop), step > 0 ? highest : lowest)
  return { start, stop, step }
}

/** Python's value[start:stop:step]. */
export function slice(work: Work, value: Value, bounds: Bounds): Value {
  const text = textOf(value)
  if (text !== undefined) {
    const { start, stop, step } = resolve(bounds, textLength(work, text))
    if (step === 1) return substring(work, text, start, stop)
    return picked(characters(work, text), start, stop, step).join('')
  }
  if (value instanceof List || value instanceof Tuple) {
    const { start, stop, step } = resolve(bounds, value.items.length)
    work.makeItems(Math.max(0, Math.ceil((stop - start) / step)))
    const items = step === 1 ? value.items.slice(start, Math.max(start, stop)) : picked(value.items, start, stop, step)
    return value instanceof List ? new List(items) : new Tuple(items)
  }
  if (value instanceof Range) {
    const { start, stop, step } = resolve(bounds, value.length)
    return new Range(value.at(start), value.at(stop), value.step * step)
  }
  if (value instanceof Undefined) throw value.fault()
  if (typeName(value) === 'dict') throw typeError("unhashable type: 'slice'")
  throw typeError(`'${typeName(value)}' object is not subscriptable`)
}

function picked<T>(items: readonly T[], start: number, stop: number, step: number): T[] {
  const result: T[] = []
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) result.push(items[i]!)
  return result
}
