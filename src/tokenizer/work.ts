import { TokenizerError } from './errors.ts'

/** Steps of 10 to 30 nanoseconds. Published tokenizers take 10 to 100 for a character. */
const STEPS = 1 << 25
const STEPS_PER_UNIT = 256
/** Most growth of a text by normalising, as a factor. Published normalisers stay below: NFKD makes 18 units of one. */
const GROWTH = 32
const GROWTH_FREE = 1 << 16
/** Steps between two heartbeats: some 20 ms. */
const SIGN = 1 << 20
/** Bytes of a matcher's memory of failed states. */
export const MEMORY = 1 << 26
/** UTF-16 units. The longest published expression has 1,000. */
export const MAX_EXPRESSION = 1 << 14

let tell = (): void => {}

/** `listener` is called repeatedly while this thread tokenises a long text. */
export function onWork(listener: () => void): void {
  tell = listener
}

/**
 * Limits the work on one text. All code driven by a tokenizer.json counts its steps here, inside its loops, so that no file
 * can cause an endless call or exhaust memory.
 */
export class Work {
  #left: number
  #made = 0
  #untold = 0
  readonly #longest: number

  readonly #whole: Work | undefined

  /**
   * `length`: of the text, in UTF-16 units. `free`: growth allowed regardless of length. `whole`: a larger work that this
   * is part of; steps count there too.
   */
  constructor(length: number, free = GROWTH_FREE, whole?: Work) {
    this.#left = STEPS + STEPS_PER_UNIT * length
    this.#longest = GROWTH * length + free
    this.#whole = whole
  }

  /** Counts steps. Throws TokenizerError past the limit. */
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

  /** Counts a created text of this length. Throws TokenizerError if all of them are too long together. */
  made(length: number): void {
    this.#made += length
    this.checkLength(this.#made / 2)
  }

  /** Checks the length of a changed text. Throws TokenizerError if it has grown beyond bounds. */
  checkLength(length: number): void {
    if (length <= this.#longest) return
    throw new TokenizerError(
      `its tokenizer.json makes more than ${this.#longest} characters of it; latentkit stops it there`,
    )
  }
}
