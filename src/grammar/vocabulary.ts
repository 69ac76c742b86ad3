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
  const { vocabSize } = source
  const outside = ends.find(id => !Number.isInteger(id) || id < 0 || id >= vocabSize)
  if (ends.length === 0 || outside !== undefined) {
    const met = outside === undefined ? 'empty' : `has ${outside}`
    throw new OptionError(`The list of ids that end a text is ${met}; expected ids below ${vocabSize}, at least one`)
  }
  const lengths = new Uint32Array(vocabSize)
  let bytes = new Uint8Array(vocabSize * 8)
  let size = 0
  for (let id = 0; id < vocabSize; id++) {
    const token = source.tokenBytes(id)
    const control = source.isSpecial(id) || ends.includes(id)
    // A byte that no text has would be read as a mark.
    if (token.length === 0 || (!control && token[0] === CONTROL)) continue
    const length = token.length + (control ? 1 : 0)
    if (size + length > bytes.length) {
      const grown = new Uint8Array(2 * (size + length))
      grown.set(bytes)
      bytes = grown
    }
    if (control) bytes[size] = CONTROL
    bytes.set(token, size + length - token.length)
    lengths[id] = length
    size += length
  }
  return { lengths, bytes: bytes.slice(0, size), ends: Uint32Array.from(ends) }
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
