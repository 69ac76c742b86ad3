/**
 * Merges of byte pair encoding learned from words (arXiv 1508.07909): again and again the pair of neighbours that is met most often becomes a
 * token. The merges and ids are those of `BpeTrainer` of Hugging Face's library `tokenizers` with the alphabet of all bytes.
 */
import { BYTE_TO_CHAR } from '../byte-level.ts'
import { NumberTable } from '../models/number-table.ts'

export interface BpeTraining {
  /** Tokens of the vocabulary at most; those of bytes and the special ones are always there. */
  readonly vocabulary: number
  /** A pair that is met less often is not merged. */
  readonly minFrequency: number
  /** First in the vocabulary. */
  readonly specialTokens: readonly string[]
}

export interface TrainedBpe {
  /** By id. */
  readonly tokens: readonly string[]
  /** The most frequent first. */
  readonly merges: readonly (readonly [string, string])[]
}

/** A pair of ids as one number; pairs are compared by the first id, then the second. */
const PAIR = 2 ** 26

/** A pair that waits to be merged in some words. */
interface Waiting {
  count: number
  readonly pair: number
  readonly words: readonly number[]
}

/** `words`: how often each occurs, its bytes written as characters (`BYTE_TO_CHAR`). */
export function trainBpe(words: ReadonlyMap<string, number>, options: BpeTraining): TrainedBpe {
  const { vocabulary, minFrequency, specialTokens } = options
  const tokens = [...new Set([...specialTokens, ...[...BYTE_TO_CHAR].sort()])]
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  const text = new Symbols(words, idOf)
  const queue = new Queue()
  text.offer(queue)
  // A pair may be merged again, in words where other merges have made it; its first rank counts.
  const merged = new Set<number>()
  for (let top = queue.pop(); top && tokens.length < vocabulary; top = queue.pop()) {
    const count = text.count(top.pair)
    if (top.count !== count) {
      top.count = count
      queue.push(top)
      continue
    }
    if (count < Math.max(1, minFrequency)) break
    const [left, right] = [Math.floor(top.pair / PAIR), top.pair % PAIR]
    const token = `${tokens[left]}${tokens[right]}`
    const id = idOf.get(token) ?? tokens.length
    if (id === tokens.length) {
      tokens.push(token)
      idOf.set(token, id)
    }
    merged.add(top.pair)
    text.merge(left, right, id, top.words)
    text.offer(queue)
  }
  const merges = [...merged].map(
    pair => [tokens[Math.floor(pair / PAIR)] as string, tokens[pair % PAIR] as string] as const,
  )
  return { tokens, merges }
}

/** Words as ids that are merged in place, with the counts of pairs. */
class Symbols {
  readonly #ids: Int32Array
  readonly #begin: Float64Array
  readonly #length: Int32Array
  readonly #times: number[]
  readonly #known = new NumberTable(1 << 16)
  readonly #counts: number[] = []
  /** Pairs that have occurred anew since they were last offered, each with its words. */
  #fresh = new Map<number, number[]>()

  constructor(words: ReadonlyMap<string, number>, idOf: ReadonlyMap<string, number>) {
    let units = 0
    for (const word of words.keys()) units += word.length
    this.#ids = new Int32Array(units)
    this.#begin = new Float64Array(words.size)
    this.#length = new Int32Array(words.size)
    this.#times = [...words.values()]
    let [at, word] = [0, 0]
    for (const letters of words.keys()) {
      this.#begin[word] = at
      this.#length[word] = letters.length
      for (let i = 0; i < letters.length; i++) {
        this.#ids[at + i] = idOf.get(letters[i] as string) as number
        if (i > 0) this.#change(this.#ids[at + i - 1] as number, this.#ids[at + i] as number, 1, word)
      }
      at += letters.length
      word++
    }
  }

  /** How often a pair was met; its own merges do not count down. */
  count(pair: number): number {
    return this.#counts[this.#known.get(pair)] ?? 0
  }

  offer(queue: Queue): void {
    for (const [pair, words] of this.#fresh) {
      const count = this.count(pair)
      if (count > 0) queue.push({ count, pair, words })
    }
    this.#fresh = new Map()
  }

  merge(left: number, right: number, id: number, words: readonly number[]): void {
    const ids = this.#ids
    for (const word of words) {
      const begin = this.#begin[word] as number
      const end = begin + (this.#length[word] as number)
      let to = begin
      for (let at = begin; at < end; at++) {
        if (ids[at] !== left || at + 1 === end || ids[at + 1] !== right) {
          ids[to++] = ids[at] as number
          continue
        }
        if (to > begin) {
          const before = ids[to - 1] as number
          this.#change(before, left, -1, word)
          this.#change(before, id, 1, word)
        }
        ids[to++] = id
        at++
        if (at + 1 === end) continue
        const after = ids[at + 1] as number
        this.#change(right, after, -1, word)
        this.#change(id, after, 1, word)
      }
      this.#length[word] = to - begin
    }
  }

  #change(left: number, right: number, by: number, word: number): void {
    const pair = left * PAIR + right
    let at = this.#known.get(pair)
    if (at < 0) {
      at = this.#counts.length
      this.#known.set(pair, at)
      this.#counts.push(0)
    }
    this.#counts[at] = (this.#counts[at] as number) + by * (this.#times[word] as number)
    if (by < 0) return
    const words = this.#fresh.get(pair)
    if (!words) this.#fresh.set(pair, [word])
    else if (words.at(-1) !== word) words.push(word)
  }
}

/** The most frequent pair first; of pairs that are as frequent the one of lower ids. */
class Queue {
  readonly #heap: Waiting[] = []

  push(value: Waiting): void {
    const heap = this.#heap
    let at = heap.push(value) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!precedes(value, heap[parent] as Waiting)) break
      heap[at] = heap[parent] as Waiting
      at = parent
    }
    heap[at] = value
  }

  pop(): Waiting | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && precedes(heap[child + 1] as Waiting, heap[child] as Waiting)) child++
      if (!precedes(heap[child] as Waiting, last)) break
      heap[at] = heap[child] as Waiting
      at = child
    }
    heap[at] = last
    return first
  }
}

function precedes(a: Waiting, b: Waiting): boolean {
  return a.count === b.count ? a.pair < b.pair : a.count > b.count
}
