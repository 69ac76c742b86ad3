import { GrammarError } from '../errors.ts'
import type { TextMatcher } from '../text-matcher.ts'
import type { TokenTexts } from '../token-texts.ts'
import { allowedIn, allows, maskWords, setAllowed } from '../vocabulary.ts'
import { isInString, itemOf, type ReaderState } from './reader.ts'
import type { Reading } from './reading.ts'
import type { Value } from './values.ts'

/** Masks that may be computed for one, to find out whether an item can still differ. */
const MAX_LOOKS = 128
/** What is tried first: as a rule, an item may go on with one of these. */
const TRIES = ['x', 'q', '0', '7', '"x', '"q']

/**
 * A matcher whose lists have distinct items where the shape says so. No automaton holds this, so the JSON is read as it is
 * written, and a token is forbidden if with it an item ends that is equal to an earlier one. So that no text gets stuck, a
 * token is also forbidden after which every item would be one of the earlier ones. A token of which `MAX_LOOKS` masks do not
 * show it is allowed only where no other one is.
 */
export class DistinctMatcher implements TextMatcher {
  readonly #matcher: TextMatcher
  readonly #reading: Reading
  readonly #texts: TokenTexts
  /** After each id. */
  readonly #states: ReaderState[]
  readonly #tries: readonly (readonly number[])[]
  #looks = 0
  /** By place: whether an item there may still become another one than all before; undefined: unknown. */
  #known = new Map<string, boolean | undefined>()

  constructor(matcher: TextMatcher, reading: Reading, texts: TokenTexts, states: readonly ReaderState[] = []) {
    this.#matcher = matcher
    this.#reading = reading
    this.#texts = texts
    this.#states = [...states]
    const one = (byte: string) => texts.idsOf(byte)[0]
    this.#tries = TRIES.map(text => [...text].flatMap(byte => one(byte) ?? []))
  }

  get length(): number {
    return this.#matcher.length
  }

  get accepting(): boolean {
    return this.#matcher.accepting
  }

  get stopped(): boolean {
    return this.#matcher.stopped
  }

  mask(into: Uint32Array): void {
    this.#matcher.mask(into)
    this.#looks = MAX_LOOKS
    this.#known.clear()
    const state = this.#state
    const unknown: number[] = []
    let removes = false
    for (const id of this.#doubtful(state, into)) {
      const next = this.#reading.read(state, this.#texts.of(id))
      const may = next !== null && this.#mayDiffer(id, next)
      if (may) continue
      if (may === undefined) unknown.push(id)
      setAllowed(into, id, false)
      removes = true
    }
    if (!removes || into.some(word => word !== 0)) return
    for (const id of unknown) setAllowed(into, id, true)
    if (unknown.length === 0) {
      throw new GrammarError('uniqueItems leaves no further item: all that the schema allows are in the list')
    }
  }

  accept(ids: readonly number[]): number {
    return this.#advance(ids, true)
  }

  validPrefix(ids: readonly number[]): number {
    const count = this.#advance(ids, false)
    return Math.min(count, this.#matcher.validPrefix(ids))
  }

  get looksQuickly(): boolean {
    return false
  }

  firstAllowed(ids: readonly number[]): number | undefined {
    const mask = new Uint32Array(maskWords(this.#texts.count))
    this.mask(mask)
    return ids.find(id => allows(mask, id))
  }

  rollback(count: number): void {
    this.#matcher.rollback(count)
    this.#states.length -= count
  }

  forced(): Uint8Array {
    return this.#matcher.forced()
  }

  fork(): TextMatcher {
    return new DistinctMatcher(this.#matcher.fork(), this.#reading, this.#texts, this.#states)
  }

  dispose(): void {
    this.#matcher.dispose()
  }

  get #state(): ReaderState {
    return this.#states.at(-1) ?? this.#reading.start
  }

  /** How many of the ids keep items distinct, and are allowed. */
  #advance(ids: readonly number[], keep: boolean): number {
    const states: ReaderState[] = []
    let state: ReaderState | null = this.#state
    for (const id of ids) {
      state = this.#reading.read(state, this.#texts.of(id))
      if (state === null) break
      states.push(state)
    }
    if (!keep) return states.length
    const count = this.#matcher.accept(ids.slice(0, states.length))
    this.#states.push(...states.slice(0, count))
    return count
  }

  /** Allowed ids that may end an item, or after which an item may not be able to differ. */
  *#doubtful(state: ReaderState, mask: Uint32Array): Iterable<number> {
    const { withSecond, withBoth } = this.#texts
    const { rivals } = state
    // What is no JSON has no lists.
    if (state.mode === 'end') return
    if (isInString(state)) {
      yield* among(withBoth, mask)
      if (rivals.length > 0) yield* among(this.#alike(state), mask)
    } else if (rivals.length === 0) yield* among(withSecond, mask)
    else for (const id of allowedIn(mask)) if (state.mode !== 'value' || this.#beginsAlike(id, rivals)) yield id
  }

  /** Ids of tokens with which a string stays the beginning of one that it must not become, or becomes it. */
  #alike({ text: begun, rivals }: ReaderState): ReadonlySet<number> {
    const ids = new Set<number>()
    for (const text of rivals.flatMap(rival => [rival.text, ...rival.properties.keys()])) {
      if (!text.startsWith(begun)) continue
      const rest = `${text.slice(begun.length)}"`
      for (let end = 1; end <= Math.min(rest.length, this.#texts.longest); end++) {
        const part = rest.slice(0, end)
        for (const id of this.#texts.idsOf(part)) ids.add(id)
        if (part.endsWith('"')) for (const id of this.#texts.idsClosing(part)) ids.add(id)
      }
    }
    return ids
  }

  /** Whether a value that begins with the token may become one of the rivals: quickly, as most tokens here begin a string. */
  #beginsAlike(id: number, rivals: readonly Value[]): boolean {
    const text = this.#texts.of(id)
    if (text[0] !== '"' || text.includes('"', 1)) return true
    const begun = text.slice(1)
    return rivals.some(rival => rival.kind === 'string' && rival.text.startsWith(begun))
  }

  /** Whether after the id, at which the state is, an item may still become another one than all before. */
  #mayDiffer(id: number, state: ReaderState): boolean | undefined {
    if (state.rivals.length === 0) return true
    const { mode, text, frame, rivals } = state
    // After white space that leads to a bracket no comma may follow.
    const blank = !isInString(state) && /\s$/.test(this.#texts.of(id))
    const values = rivals.map(({ key }) => key)
    const place = [mode, blank, itemOf(state), frame?.length, frame?.name, text, ...values].join('\n')
    if (this.#known.has(place)) return this.#known.get(place)
    // As long as it is looked for, it leads nowhere.
    this.#known.set(place, false)
    const result = this.#differsEasily(id, state) || this.#look(id, state)
    this.#known.set(place, result)
    return result
  }

  #differsEasily(id: number, state: ReaderState): boolean {
    return this.#tries.some(ids => {
      const after = ids.length === 0 ? null : this.#reading.read(state, ids.map(one => this.#texts.of(one)).join(''))
      if (after === null || !differs(state, after)) return false
      return this.#matcher.validPrefix([id, ...ids]) === 1 + ids.length
    })
  }

  /** The same by the masks after the id. */
  #look(id: number, state: ReaderState): boolean | undefined {
    if (this.#looks-- <= 0) return undefined
    if (this.#matcher.accept([id]) === 0) return false
    try {
      const mask = new Uint32Array(maskWords(this.#texts.count))
      this.#matcher.mask(mask)
      const similar: [number, ReaderState][] = []
      for (const next of allowedIn(mask)) {
        const after = this.#reading.read(state, this.#texts.of(next))
        if (after === null) continue
        if (differs(state, after)) return true
        similar.push([next, after])
      }
      let isKnown = true
      for (const [next, after] of similar) {
        const result = this.#mayDiffer(next, after)
        if (result) return true
        isKnown &&= result !== undefined
      }
      return isKnown ? false : undefined
    } finally {
      this.#matcher.rollback(1)
    }
  }
}

/** Whether an item has come to differ from those before it, or has ended as another one. */
const differs = (before: ReaderState, after: ReaderState): boolean =>
  after.rivals.length === 0 || itemOf(after) !== itemOf(before)

function* among(ids: Iterable<number>, mask: Uint32Array): Iterable<number> {
  for (const id of ids) if (allows(mask, id)) yield id
}
