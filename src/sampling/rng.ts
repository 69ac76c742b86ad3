import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'

/** The four 32-bit words of a generator, as plain numbers, so that JSON can hold them. */
export type RngState = readonly [number, number, number, number]

/**
 * xoshiro128** (Blackman and Vigna), seeded by splitmix64. It uses only 32-bit integer arithmetic, so a seed gives the
 * same stream on every platform. Not cryptographically secure.
 */
export class Rng {
  #a: number
  #b: number
  #c: number
  #d: number

  /** Continues from a saved state. Use `Rng.seeded` to begin. */
  constructor(state: RngState) {
    const [a, b, c, d] = state
    if (state.length !== 4 || state.some(word => !Number.isInteger(word)) || (a | b | c | d) === 0) {
      throw new OptionError(`The state of a generator is ${JSON.stringify(state)}; expected four integers, not all 0`)
    }
    this.#a = a | 0
    this.#b = b | 0
    this.#c = c | 0
    this.#d = d | 0
  }

  /** `seed`: any integer, taken modulo 2^64. */
  static seeded(seed: number | bigint): Rng {
    let x = checkSeed(seed)
    const next = () => {
      x = BigInt.asUintN(64, x + 0x9e3779b97f4a7c15n)
      let z = x
      z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
      z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
      return z ^ (z >> 31n)
    }
    const [first, second] = [next(), next()]
    const low = (word: bigint) => Number(word & 0xffffffffn)
    return new Rng([low(first), low(first >> 32n), low(second), low(second >> 32n)])
  }

  get state(): RngState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0]
  }

  clone(): Rng {
    return new Rng(this.state)
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9)
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotate(this.#d, 11)
    return result >>> 0
  }

  /** A number in [0, 1) with 53 random bits; advances the generator by two steps. */
  next(): number {
    const high = this.uint32() >>> 5
    const low = this.uint32() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }
}

/** The seed modulo 2^64. Throws OptionError unless it is an integer. */
export function checkSeed(seed: number | bigint): bigint {
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
    throw new OptionError(`seed is ${show(seed)}; expected an integer (a bigint beyond 2^53)`)
  }
  return BigInt.asUintN(64, BigInt(seed))
}

/** A random seed from 0 to 2^53 - 1, for callers who give none. Report it, so that the result can be reproduced. */
export function randomSeed(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  return (high >>> 11) * 2 ** 32 + low
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}
