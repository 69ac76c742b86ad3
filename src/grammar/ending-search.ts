import { GrammarError } from './errors.ts'
import type { TextMatcher } from './text-matcher.ts'
import { bytesOf, type TokenTexts } from './token-texts.ts'
import { allowedIn, allows, maskWords } from './vocabulary.ts'

/** Longest ending that is looked for, in tokens. */
const MAX_ENDING = 1024
/** Where a mask allows no more ids, the rest is nearly fixed: the longest token is the fastest way through. */
const FEW = 256
/** Masks that one search may compute for characters that it tries. */
const MAX_TRIES = 300
/** Steps with one mask, after which what looks like progress is none. */
const MAX_SAME = 4
const MAX_SAME_CLOSING = 24
/** Steps one after the other without a mask. */
const MAX_QUICK = 8
/** Places of one mask that are followed after the first character: a number's remainder is not in its mask. */
const MAX_ALIKE = 10
/** What ends a value outside strings. */
const CLOSING = ['}', ']', '"']
/** Where all of these are allowed, the text is free, so that a bracket closes nothing. */
const FREE = ['x', '#']
/** Characters in the order in which they are tried. */
const CHARACTERS = (() => {
  const first = ':,01@.:/-_#?=&%+<>nulltrefas23456789xaeiou'
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
  return [...new Set([...first, ...printable.filter(character => !'{["\\ '.includes(character)), ' '])]
})()
/** Tokens that fill a text which must be longer. */
const FILLERS = 64

interface Step {
  /** The mask before it, as a hash; null: it was not needed. */
  readonly state: number | null
  readonly ids: readonly number[]
}

interface Tried {
  readonly matcher: TextMatcher
  readonly ids: readonly number[]
}

/**
 * Looks for a short ending of a text: what a mask shows to close something is taken, what is nearly fixed is followed, and
 * characters are tried where neither leads on. It is short, not the shortest.
 */
export class EndingSearch {
  readonly #texts: TokenTexts
  readonly #free: readonly number[]
  readonly #closing: readonly number[]
  /** What is tried: characters, and what patterns spell out. */
  readonly #characters: readonly (readonly number[])[]
  readonly #fillers: readonly number[]
  /** What may end free text: each mark, and before it what is left of it where the text has begun it. */
  readonly #marks: readonly (readonly number[])[]
  readonly #mask: Uint32Array
  #tries = 0
  /** Of the search under way: masks from which all characters lead back. */
  readonly #closed = new Set<number>()

  /**
   * `marks`: texts, and ids of control tokens, that end free text; null: brackets and quotes close nothing. `literals`: texts that
   * may have to come.
   */
  constructor(texts: TokenTexts, marks: readonly (string | number)[] | null, literals: readonly string[] = []) {
    this.#texts = texts
    const one = (text: string) => texts.idsOf(text).slice(0, 1)
    this.#free = FREE.flatMap(one)
    this.#closing = marks === null ? [] : CLOSING.flatMap(text => texts.idsOf(text))
    const written = (bytes: string) => {
      const ids = texts.tokensOf(bytes)
      return ids ? [ids] : []
    }
    this.#characters = [...literals.map(bytesOf), ...CHARACTERS].flatMap(written)
    this.#marks = [...(marks === null ? [] : ['"']), ...(marks ?? [])].flatMap(mark => {
      return typeof mark === 'number' ? [[mark]] : endsOf(bytesOf(mark)).flatMap(written)
    })
    this.#fillers = fillersOf(texts)
    this.#mask = new Uint32Array(maskWords(texts.count))
  }

  /** The ids of a short ending, without the id that ends a text. `longer`: it has more than `most` tokens; null: none is found. */
  find(matcher: TextMatcher, most: number): readonly number[] | 'longer' | null {
    const copy = matcher.fork()
    const steps: Step[] = []
    let length = 0
    this.#tries = MAX_TRIES
    this.#closed.clear()
    try {
      while (!copy.accepting) {
        const step = this.#step(copy, steps)
        length += step.ids.length
        if (step.ids.length === 0) return null
        if (length > Math.min(most, MAX_ENDING)) return 'longer'
        if (copy.accept(step.ids) < step.ids.length) return null
        steps.push(step)
      }
    } catch (error) {
      // A way that leads into a dead end is none; the text itself goes on.
      if (error instanceof GrammarError) return null
      throw error
    } finally {
      copy.dispose()
    }
    return this.#withoutCircles(matcher, steps).flatMap(({ ids }) => ids)
  }

  /** Leaves out what leads back to the same mask, where the text ends without it, too. */
  #withoutCircles(matcher: TextMatcher, steps: readonly Step[]): readonly Step[] {
    for (const [i, { state }] of steps.entries()) {
      const j = state === null ? i : steps.findLastIndex(step => step.state === state)
      if (j <= i) continue
      const fewer = [...steps.slice(0, i), ...steps.slice(j)]
      if (endsWith(matcher, fewer)) return this.#withoutCircles(matcher, fewer)
    }
    return steps
  }

  #step(matcher: TextMatcher, before: readonly Step[]): Step {
    const quick = this.#quickly(matcher, before)
    if (quick) return quick
    const mask = this.#mask
    matcher.mask(mask)
    const state = hashOf(mask)
    const times = before.filter(step => step.state === state).length
    return { state, ids: this.#next(matcher, state, times) }
  }

  /** What closes something or has to come, without a whole mask: most of an ending is that. Not for ever, as it may lead in a circle. */
  #quickly(matcher: TextMatcher, before: readonly Step[]): Step | null {
    const last = before.slice(-MAX_QUICK)
    if (!matcher.looksQuickly || (last.length === MAX_QUICK && last.every(({ state }) => state === null))) return null
    const ids = this.#closes(matcher, id => matcher.firstAllowed([id]) === id) ?? this.#forced(matcher)
    return ids && { state: null, ids }
  }

  /** The tokens of what has to come, if something has to. */
  #forced(matcher: TextMatcher): readonly number[] | null {
    const ids = this.#texts.forcedBy(matcher)
    return ids && matcher.validPrefix(ids) === ids.length ? ids : null
  }

  /** What leads on from a place whose mask was met so many times; its mask is in `#mask`. */
  #next(matcher: TextMatcher, state: number, times: number): readonly number[] {
    const mask = this.#mask
    const closing = times < MAX_SAME_CLOSING ? this.#closes(matcher, id => allows(mask, id)) : null
    if (closing) return closing
    const few = this.#isFree(id => allows(mask, id)) || times >= MAX_SAME ? null : firstFew(mask)
    if (few) return longest(few, this.#texts)
    if (!this.#closed.has(state)) {
      const way = this.#tryCharacters(matcher, state)
      if (way.length > 0) return way
      this.#closed.add(state)
      matcher.mask(mask)
    }
    const may = (id: number) => allows(mask, id)
    const id = this.#fillers.find(may) ?? this.#characters.find(([first]) => may(first as number))?.[0] ?? firstOf(mask)
    return id === undefined ? [] : [id]
  }

  /** What closes something here. Of free text, that is what leads out of it. */
  #closes(matcher: TextMatcher, may: (id: number) => boolean): readonly number[] | null {
    if (!this.#isFree(may)) {
      const id = this.#closing.find(may)
      return id === undefined ? null : [id]
    }
    return this.#marks.find(mark => may(mark[0] as number) && this.#leaves(matcher, mark)) ?? null
  }

  #leaves(matcher: TextMatcher, ids: readonly number[]): boolean {
    const copy = matcher.fork()
    try {
      if (copy.accept(ids) < ids.length) return false
      return copy.accepting || this.#free.length === 0 || this.#free.some(id => copy.firstAllowed([id]) === undefined)
    } finally {
      copy.dispose()
    }
  }

  #isFree(may: (id: number) => boolean): boolean {
    return this.#free.length > 0 && this.#free.every(may)
  }

  /** The characters to the nearest place where something closes, else to the furthest one; empty: all lead back. */
  #tryCharacters(start: TextMatcher, state: number): readonly number[] {
    const met = new Map([[state, MAX_ALIKE]])
    const open: Tried[] = [{ matcher: start.fork(), ids: [] }]
    let last: readonly number[] = []
    try {
      for (const { matcher, ids } of open) {
        last = ids
        matcher.mask(this.#mask)
        const known = this.#characters.filter(([first]) => allows(this.#mask, first as number))
        for (const more of known.length > 0 ? known : firstOnes(this.#mask)) {
          if (--this.#tries < 0) return last
          const next = matcher.fork()
          const all = [...ids, ...more]
          open.push({ matcher: next, ids: all })
          if (next.accept(more) < more.length) {
            open.pop()?.matcher.dispose()
            continue
          }
          if (next.accepting) return all
          const mask = new Uint32Array(this.#mask.length)
          next.mask(mask)
          if (this.#closes(next, id => allows(mask, id))) return all
          const hash = hashOf(mask)
          const times = met.get(hash) ?? 0
          met.set(hash, times + 1)
          if (times >= (ids.length === 0 && !this.#isFree(id => allows(mask, id)) ? MAX_ALIKE : 1)) {
            open.pop()?.matcher.dispose()
          }
        }
      }
      return last
    } finally {
      for (const { matcher } of open) matcher.dispose()
    }
  }
}

/** Whether the text is complete after these steps. */
function endsWith(matcher: TextMatcher, steps: readonly Step[]): boolean {
  const copy = matcher.fork()
  const ids = steps.flatMap(step => step.ids)
  try {
    return copy.accept(ids) === ids.length && copy.accepting
  } catch (error) {
    if (error instanceof GrammarError) return false
    throw error
  } finally {
    copy.dispose()
  }
}

/** All ends of a text, the shortest first. */
const endsOf = (text: string): readonly string[] => Array.from(text, (_, i) => text.slice(text.length - 1 - i))

/** By vocabulary: it takes some milliseconds to find them. */
const FILLERS_OF = new WeakMap<TokenTexts, readonly number[]>()

/** Long tokens of letters alone. */
function fillersOf(texts: TokenTexts): readonly number[] {
  const known = FILLERS_OF.get(texts)
  if (known) return known
  const words: number[] = []
  for (let id = 0; id < texts.count; id++) if (/^[a-z]{2,12}$/.test(texts.of(id))) words.push(id)
  const fillers = words.sort((a, b) => texts.of(b).length - texts.of(a).length || a - b).slice(0, FILLERS)
  FILLERS_OF.set(texts, fillers)
  return fillers
}

/** All ids of a mask; null if it has many. */
function firstFew(mask: Uint32Array): number[] | null {
  const ids: number[] = []
  for (const id of allowedIn(mask)) {
    if (ids.length === FEW) return null
    ids.push(id)
  }
  return ids
}

function firstOnes(mask: Uint32Array): number[][] {
  const ids: number[][] = []
  for (const id of allowedIn(mask)) if (ids.push([id]) === 32) break
  return ids
}

function firstOf(mask: Uint32Array): number | undefined {
  for (const id of allowedIn(mask)) return id
  return undefined
}

/** The longest token: of an end tag, else without blanks or another bracket, if there is one. */
function longest(ids: readonly number[], texts: TokenTexts): readonly number[] {
  const dense = ids.filter(id => !/\s|[[{]/.test(texts.of(id)))
  const ends = dense.filter(id => /^<?\//.test(texts.of(id)))
  const from = [ends, dense, ids].find(some => some.length > 0) ?? []
  const best = from.reduce<number | undefined>((known, id) => {
    return known === undefined || texts.of(id).length > texts.of(known).length ? id : known
  }, undefined)
  return best === undefined ? [] : [best]
}

function hashOf(mask: Uint32Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < mask.length; i++) hash = Math.imul(hash ^ (mask[i] as number), 0x01000193)
  return hash
}
