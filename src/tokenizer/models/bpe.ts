import { ownCopy } from '../own-copy.ts'
import type { Component } from '../tokenizer-json.ts'
import type { Work } from '../work.ts'
import type { Cut, Id } from './cut.ts'
import { NumberTable } from './number-table.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Cached pieces, and the longest piece that is cached. */
const KEPT = 10_000
const KEPT_LENGTH = 256

/**
 * Merges neighbours, the best pair first (ties: the leftmost), until no pair can be merged. What merges make and the vocabulary lacks is
 * spelled letter by letter, as llama.cpp does with the bytes of GGUF's vocabularies; the `tokenizers` library refuses such a file.
 */
export function bpe(spec: Component, vocabulary: Vocabulary): Cut {
  const merges = new Merges(spec)
  const { idOf } = vocabulary
  const suffix = typeof spec.end_of_word_suffix === 'string' ? spec.end_of_word_suffix : ''
  const middle = typeof spec.continuing_subword_suffix === 'string' ? spec.continuing_subword_suffix : ''
  const kept = new Map<string, readonly Id[]>()
  const hasUnknown = spec.unk_token !== undefined && spec.unk_token !== null
  const bytes = spec.byte_fallback === true ? byteIds(idOf) : undefined

  const add = (token: string, ids: Id[]) => {
    const id = idOf.get(token)
    if (id !== undefined) {
      ids.push(id)
      return
    }
    const letters = suffix === '' && middle === '' ? Array.from(token) : []
    const spelled = bytes && Array.from(utf8.encode(token), byte => bytes[byte])
    if (spelled && !spelled.includes(undefined)) for (const byte of spelled) ids.push(byte)
    else if (letters.length > 1) for (const letter of letters) add(letter, ids)
    else if (hasUnknown && !(spec.fuse_unk === true && ids.length > 0 && ids.at(-1) === vocabulary.unknown)) {
      ids.push(vocabulary.unknown)
    }
  }

  return (piece, ids, work) => {
    const known = kept.get(piece)
    if (known !== undefined) {
      for (const id of known) ids.push(id)
      return
    }
    const whole = spec.ignore_merges === true ? idOf.get(piece) : undefined
    const cut: Id[] = []
    if (whole !== undefined) cut.push(whole)
    else {
      const letters = Array.from(piece)
      if (letters.length > 0) letters[letters.length - 1] += suffix
      const tokens = merges.merge(letters, work)
      for (const [i, token] of tokens.entries()) add(i < tokens.length - 1 ? token + middle : token, cut)
    }
    if (piece.length < KEPT_LENGTH) {
      if (kept.size === KEPT) kept.clear()
      kept.set(ownCopy(piece), cut)
    }
    for (const id of cut) ids.push(id)
  }
}

const utf8 = new TextEncoder()

function byteIds(idOf: ReadonlyMap<string, number>): (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) => idOf.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`))
}

/** The merge table. Texts in merges are numbered as symbols below 2^26, so that a pair of symbols is one number. */
class Merges {
  readonly #symbolOf = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #rankOf: NumberTable
  readonly #mergedOf: Int32Array

  constructor({ merges }: Component) {
    const pairs = (merges as (string | [string, string])[]).map(pair =>
      typeof pair === 'string' ? (pair.split(' ', 2) as [string, string]) : pair,
    )
    this.#rankOf = new NumberTable(pairs.length)
    this.#mergedOf = Int32Array.from(pairs, ([left, right], rank) => {
      this.#rankOf.set(this.#symbol(left) * PAIR + this.#symbol(right), rank)
      return this.#symbol(left + right)
    })
  }

  merge(letters: readonly string[], work: Work): readonly string[] {
    const n = letters.length
    if (n < 2) return letters
    // A heap: some steps for each of the logarithm's levels.
    work.spend(n * (8 + 4 * Math.ceil(Math.log2(n))))
    const symbols = Int32Array.from(letters, letter => this.#symbolOf.get(letter) ?? -1)
    const next = Int32Array.from({ length: n }, (_, i) => (i + 1 < n ? i + 1 : -1))
    const before = Int32Array.from({ length: n }, (_, i) => i - 1)
    const queue = new Heap()
    const offer = (at: number) => {
      const rank = next[at]! < 0 ? -1 : this.#rank(symbols[at]!, symbols[next[at]!]!)
      if (rank >= 0) queue.push(rank * n + at)
    }
    for (let at = 0; at < n - 1; at++) offer(at)
    for (let best = queue.pop(); best >= 0; best = queue.pop()) {
      const at = best % n
      const rank = (best - at) / n
      const right = next[at]!
      // A stale pair: one of the two has been merged with another symbol.
      if (symbols[at] === GONE || right < 0 || this.#rank(symbols[at]!, symbols[right]!) !== rank) continue
      symbols[at] = this.#mergedOf[rank]!
      symbols[right] = GONE
      next[at] = next[right]!
      if (next[at]! >= 0) before[next[at]!] = at
      offer(at)
      if (before[at]! >= 0) offer(before[at]!)
    }
    const merged: string[] = []
    for (let at = 0; at >= 0; at = next[at]!) {
      merged.push(symbols[at]! < 0 ? letters[at]! : this.#texts[symbols[at]!]!)
    }
    return merged
  }

  #rank(left: number, right: number): number {
    return left < 0 || right < 0 ? -1 : this.#rankOf.get(left * PAIR + right)
  }

  #symbol(text: string): number {
    const known = this.#symbolOf.get(text)
    if (known !== undefined) return known
    this.#symbolOf.set(text, this.#texts.length)
    this.#texts.push(text)
    return this.#texts.length - 1
  }
}

const PAIR = 2 ** 26
const GONE = -2

/** A heap of numbers, smallest first. */
class Heap {
  readonly #heap: number[] = []

  push(value: number): void {
    const heap = this.#heap
    let at = heap.push(value) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent]! <= value) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = value
  }

  /** Removes the smallest; -1 if empty. */
  pop(): number {
    const heap = this.#heap
    const least = heap[0] ?? -1
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return least
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
      if (heap[child]! >= last) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return least
  }
}
