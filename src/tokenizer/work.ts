import { TokenizerError } from './errors.ts'

/** Steps of 10 to 30 nanoseconds. Published tokenizers take 10 to 100 for a character. */
const STEPS = 1 << 25
const STEPS_PER_UNIT = 256
/** A text that grows more than this has no published normaliser: NFKD makes 18 units of one. */
const GROWTH = 32
const GROWTH_FREE = 1 << 16
/** Steps between two signs of work: some 20 ms. */
const SIGN = 1 << 20
/** Bytes that matchers remember failures with. */
export const MEMORY = 1 << 26
/** UTF-16 units. The longest published expression has 1,000. */
export const MAX_EXPRESSION = 1 << 14

let tell = (): void => {}

/** `listener` is called now and then while a long text is worked on in this thread. */
export function onWork(listener: () => void): void {
  tell = listener
}

/**
 * What one text may cost. Everything that a tokenizer.json makes of a text counts its work here, inside of its loops, so
 * that no file can make a call that does not end, or memory run out.
 */
export class Work {
  #left: number
  #made = 0
  #untold = 0
  readonly #longest: number

  readonly #whole: Work | undefined

  /**
   * `length`: of the text, in UTF-16 units. `free`: what it may grow whatever its length. `whole`: work that this is part
   * of, whose steps it takes as well.
   */
  constructor(length: number, free = GROWTH_FREE, whole?: Work) {
    this.#left = STEPS + STEPS_PER_UNIT * length
    this.#longest = GROWTH * length + free
    this.#whole = whole
  }

  /** Throws TokenizerError when there was too much. */
  spend(steps: number): void {
    this.#whole?.spend(steps)
    this.#left -= steps
    this.#untold += steps
    if (this.#untold > SIGN) {
      this.#untold = 0
      tell()
    }
    if (this.#left < 0)
      throw new TokenizerError('its tokenizer.json makes too much work of it; latentkit stops it there')
  }

  /** A stretch of so many units was made, besides others. Throws TokenizerError where they are too many together. */
  made(length: number): void {
    this.#made += length
    this.checkLength(this.#made / 2)
  }

  /** Of a text that was changed. Throws TokenizerError where it has grown beyond bounds. */
  checkLength(length: number): void {
    if (length <= this.#longest) return
    throw new TokenizerError(
      `its tokenizer.json makes more than ${this.#longest} characters of it; latentkit stops it there`,
    )
  }
}
