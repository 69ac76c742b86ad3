import { OptionError } from '../errors.ts'

/** The part of a tokenizer that a grammar needs. */
export interface TokenSource {
  /** The highest id + 1. */
  readonly vocabSize: number
  /** The bytes of a token inside a text; empty for ids without a token. */
  tokenBytes(id: number): Uint8Array
  /** Whether the token controls the model and is no text. */
  isSpecial(id: number): boolean
}

/** All tokens as bytes, for the library: plain data that a thread can be handed. */
export interface Vocabulary {
  /** u32 [tokens]: bytes of each token; 0: the id stands for no text, and no grammar ever allows it. */
  readonly lengths: Uint32Array
  /** The tokens one after the other; control tokens begin with `CONTROL`. */
  readonly bytes: Uint8Array
  /** Ids that end a text; at least one. */
  readonly ends: Uint32Array
}

/** The mark of llguidance before the name of a control token. No UTF-8 has this byte. */
const CONTROL = 0xff

/** The vocabulary of a tokenizer. `ends`: the ids at which generation stops, which a grammar allows where it is complete. */
export function vocabularyOf(source: TokenSource, ends: readonly number[]): Vocabulary {
  const gathered = new Gathered(source, ends)
  while (!gathered.isWhole) gathered.add()
  return gathered.vocabulary()
}

/** The same where others wait for this thread: after each `milliseconds` of work, 8 if not given, it lets them run. */
export async function vocabularyBetween(
  source: TokenSource,
  ends: readonly number[],
  pause: () => Promise<void>,
  milliseconds = 8,
): Promise<Vocabulary> {
  const gathered = new Gathered(source, ends)
  for (let since = performance.now(); !gathered.isWhole; gathered.add()) {
    if (performance.now() - since < milliseconds) continue
    await pause()
    since = performance.now()
  }
  return gathered.vocabulary()
}

/** Tokens that are read at once. */
const PORTION = 256

/** A vocabulary, portion by portion. */
class Gathered {
  readonly #source: TokenSource
  readonly #ends: ReadonlySet<number>
  readonly #lengths: Uint32Array
  #bytes: Uint8Array
  #size = 0
  #next = 0

  constructor(source: TokenSource, ends: readonly number[]) {
    const { vocabSize } = source
    const outside = ends.find(id => !Number.isInteger(id) || id < 0 || id >= vocabSize)
    if (ends.length === 0 || outside !== undefined) {
      const met = outside === undefined ? 'empty' : `has ${outside}`
      throw new OptionError(`The list of ids that end a text is ${met}; expected ids below ${vocabSize}, at least one`)
    }
    this.#source = source
    this.#ends = new Set(ends)
    this.#lengths = new Uint32Array(vocabSize)
    this.#bytes = new Uint8Array(vocabSize * 8)
  }

  get isWhole(): boolean {
    return this.#next === this.#lengths.length
  }

  /** Reads the next portion. */
  add(): void {
    const end = Math.min(this.#next + PORTION, this.#lengths.length)
    while (this.#next < end) this.#add(this.#next++)
  }

  vocabulary(): Vocabulary {
    return { lengths: this.#lengths, bytes: this.#bytes.slice(0, this.#size), ends: Uint32Array.from(this.#ends) }
  }

  #add(id: number): void {
    const token = this.#source.tokenBytes(id)
    const control = this.#source.isSpecial(id) || this.#ends.has(id)
    // A byte that no text has would be read as a mark.
    if (token.length === 0 || (!control && token[0] === CONTROL)) return
    const length = token.length + (control ? 1 : 0)
    const end = this.#size + length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(2 * end)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    if (control) this.#bytes[this.#size] = CONTROL
    this.#bytes.set(token, end - token.length)
    this.#lengths[id] = length
    this.#size = end
  }
}

/** 32-bit words of a mask over so many ids. */
export const maskWords = (ids: number): number => Math.ceil(ids / 32)

/** Whether a mask allows an id. */
export const allows = (mask: Uint32Array, id: number): boolean => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1

/** The ids that a mask allows. */
export function* allowedIn(mask: Uint32Array): Iterable<number> {
  for (let word = 0; word < mask.length; word++) {
    for (let left = mask[word] as number; left !== 0; left &= left - 1)
      yield 32 * word + (31 - Math.clz32(left & -left))
  }
}

/** Makes a mask allow an id, or forbid it. */
export function setAllowed(mask: Uint32Array, id: number, allowed: boolean): void {
  const word = mask[id >>> 5] as number
  const bit = 1 << (id & 31)
  mask[id >>> 5] = allowed ? word | bit : word & ~bit
}
