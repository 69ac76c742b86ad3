import { type ReaderState, read, startOf } from './reader.ts'
import type { Shape } from './shapes.ts'

/** How a text is read: from where, and by which bytes on. Null: an item has become equal to an earlier one of its list. */
export interface Reading {
  readonly start: ReaderState
  read(state: ReaderState, bytes: string): ReaderState | null
}

/** A text before JSON, as bytes (one per character) and, for null, digits; and what its lists are. */
export interface Mark {
  readonly before: readonly (string | null)[]
  readonly shape: Shape | null
}

/** A text that is JSON. */
export const readingOf = (shape: Shape): Reading => ({ start: startOf(shape), read })

/** A text in which JSON comes after marks. What else it has is no list. */
export function readingAfter(marks: readonly Mark[]): Reading {
  const known = marks.map(({ before, shape }) => ({ shape, pattern: patternOf(before), last: lastOf(before) }))
  const longest = longestOf(marks)
  const step = (state: ReaderState, byte: string): ReaderState | null => {
    const tail = ((state.tail ?? '') + byte).slice(-longest)
    const met = known.find(mark => mark.last === byte && mark.pattern.test(tail))
    if (met) return { ...startOf(met.shape), tail: '' }
    if (state.mode === 'end') return { ...OUTSIDE, tail }
    const next = read(state, byte)
    return next && { ...next, tail }
  }
  return {
    start: OUTSIDE,
    read(state, bytes) {
      let now: ReaderState | null = state
      for (const byte of bytes) {
        if (byte === CONTROL) continue
        now = step(now, byte)
        if (now === null) return null
      }
      return now
    },
  }
}

/** Before the name of a control token. */
export const CONTROL = '\xff'
/** Most digits of a call's number. */
const DIGITS = 4
export const OUTSIDE: ReaderState = { mode: 'end', frame: null, text: '', shape: null, rivals: [] }

/** The most characters before JSON. */
export const longestOf = (marks: readonly Pick<Mark, 'before'>[]): number =>
  Math.max(...marks.map(({ before }) => before.reduce((sum, part) => sum + (part?.length ?? DIGITS), 0)))

export const lastOf = (before: Mark['before']): string => before.at(-1)?.at(-1) ?? ''

export function patternOf(before: Mark['before']): RegExp {
  const parts = before.map(part => part?.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&') ?? '\\d+')
  return new RegExp(`${parts.join('')}$`)
}
