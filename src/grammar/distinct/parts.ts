/** Texts in which calls have their arguments apart, each between marks of its own: which of them is JSON is known from the marks. */
import { bytesOf } from '../token-texts.ts'
import { type ReaderState, read, startOf } from './reader.ts'
import { CONTROL, lastOf, longestOf, OUTSIDE, patternOf, type Reading } from './reading.ts'
import type { Shape } from './shapes.ts'

/** A call: what it begins with (see `Mark`), its arguments in their order, what may stand between two, and how it ends. */
export interface PartedCall {
  readonly before: readonly (string | null)[]
  readonly parts: readonly Part[]
  readonly between: string
  readonly end: string
}

interface Part {
  readonly begin: string
  /** Texts, and control tokens by their bytes as `TokenTexts` has them. */
  readonly end: readonly (string | { readonly control: string })[]
  /** Null: the argument is text up to its end. Else what its lists are, null for none. */
  readonly json: { readonly shape: Shape | null } | null
}

/** Where in a call a text is. */
interface Place {
  readonly call: number
  /** The argument that is being written, or the next one. */
  readonly part: number
  /** `mark`: before an argument, or the call's end. `ending`: behind an argument's JSON. */
  readonly at: 'mark' | 'text' | 'json' | 'ending'
  /** What has come since the place began, as far as it is needed. */
  readonly seen: string
  /** What came before the call's arguments: it may have been the beginning of another call. */
  readonly before: string
}

interface PartsState extends ReaderState {
  readonly place?: Place
}

/** Characters of a number or a name: any other ends it. */
const PLAIN = /[-+.\w]/

/** What the argument's JSON is not part of is no list. */
export function readingParts(calls: readonly PartedCall[]): Reading {
  const known = calls.map(call => ({ pattern: patternOf(call.before), last: lastOf(call.before), ...ready(call) }))
  const longest = longestOf(calls)

  const outside = (tail: string, byte: string): PartsState => {
    const seen = (tail + byte).slice(-longest)
    const call = known.findIndex(({ last, pattern }) => last === byte && pattern.test(seen))
    if (call < 0) return { ...OUTSIDE, tail: seen }
    return { ...OUTSIDE, place: { call, part: 0, at: 'mark', seen: '', before: seen } }
  }
  const placed = (place: Place, at: Place['at'], part: number, seen = ''): PartsState => ({
    ...OUTSIDE,
    place: { ...place, at, part, seen },
  })

  /** Before an argument or the call's end. */
  const atMark = (place: Place, byte: string): PartsState => {
    const { parts, begins, end } = known[place.call] as (typeof known)[number]
    const seen = place.seen + byte
    if (seen === end) return { ...OUTSIDE, tail: seen }
    for (let part = place.part; part < parts.length; part++) {
      if (!begins[part]?.includes(seen)) continue
      const { json } = parts[part] as Part
      if (json === null) return placed(place, 'text', part)
      return { ...startOf(json.shape), place: { ...place, at: 'json', part, seen: '' } }
    }
    const goesOn = end.startsWith(seen) || begins.slice(place.part).some(ways => ways.some(way => way.startsWith(seen)))
    // The call has ended, as its end is empty; or its name was the beginning of a longer one.
    return goesOn ? placed(place, 'mark', place.part, seen) : outside(place.before + place.seen, byte)
  }

  const step = (state: PartsState, byte: string): PartsState | null => {
    const { place } = state
    if (place === undefined) return byte === CONTROL ? state : outside(state.tail ?? '', byte)
    const { ends, plainEnds } = known[place.call] as (typeof known)[number]
    if (place.at === 'text') {
      const end = ends[place.part] as string
      const seen = (place.seen + byte).slice(-end.length)
      return seen === end ? placed(place, 'mark', place.part + 1) : placed(place, 'text', place.part, seen)
    }
    if (byte === CONTROL) return state
    if (place.at === 'mark') return atMark(place, byte)
    if (place.at === 'ending' || isOver(state, byte)) {
      if (plainEnds[place.part] === '') return atMark({ ...place, part: place.part + 1, seen: '' }, byte)
      const seen = (place.at === 'ending' ? place.seen : '') + byte
      const whole = seen === plainEnds[place.part]
      return whole ? placed(place, 'mark', place.part + 1) : placed(place, 'ending', place.part, seen)
    }
    const next = read(state, byte)
    return next && { ...next, place }
  }
  return {
    start: OUTSIDE,
    read(state, bytes) {
      let now: PartsState | null = state
      for (const byte of bytes) {
        now = step(now, byte)
        if (now === null) return null
      }
      return now
    },
  }
}

/** The marks of a call as bytes. */
function ready({ parts, between, end }: PartedCall) {
  const gap = bytesOf(between)
  const written = ({ end }: Part, control: (bytes: string) => string) =>
    end.map(piece => (typeof piece === 'string' ? bytesOf(piece) : control(piece.control))).join('')
  return {
    parts,
    /** With what stands between two arguments, and without. */
    begins: parts.map(({ begin }) => [bytesOf(begin), gap + bytesOf(begin)]),
    ends: parts.map(part => written(part, bytes => bytes)),
    plainEnds: parts.map(part => written(part, bytes => bytes.replaceAll(CONTROL, ''))),
    end: bytesOf(end),
  }
}

/** Whether JSON has ended before this byte. */
const isOver = ({ mode, frame }: ReaderState, byte: string): boolean =>
  mode === 'end' || (mode === 'plain' && frame === null && !PLAIN.test(byte))
