import { Exceeded } from './errors.ts'

export interface TemplateBounds {
  /** Work. A step takes about a tenth of a microsecond. */
  readonly steps: number
  /** Longest text, in UTF-16 units. */
  readonly characters: number
  /** Most items of one list or mapping. */
  readonly items: number
  /** Deepest nesting of calls. */
  readonly depth: number
}

/**
 * A chat template is a program that came with a checkpoint. These bounds lie far above what published templates need
 * for a full context (test/templates/bounds.test.ts says how far) and end a hostile one within seconds.
 */
export const TEMPLATE_BOUNDS: TemplateBounds = { steps: 10_000_000, characters: 1 << 23, items: 500_000, depth: 1200 }

/**
 * Counts the work of one run. Every function that handles texts or lists says beforehand how much it will take, so
 * nothing long starts that the bounds do not cover. Memory needs no count of its own: what a step can hold is bounded
 * (32 characters, one item), and so are the steps.
 */
export class Work {
  readonly #bounds: TemplateBounds
  #depth = 0
  steps = 0

  constructor(bounds: TemplateBounds = TEMPLATE_BOUNDS) {
    this.#bounds = bounds
  }

  spend(steps: number): void {
    this.steps += steps
    if (this.steps > this.#bounds.steps) throw exceeded('steps of work', this.#bounds.steps)
  }

  /** A pass of the JavaScript engine over so many characters. */
  scan(characters: number): void {
    this.spend(1 + (characters >> 5))
  }

  /** A pass of our own loop over so many characters. */
  walk(characters: number): void {
    this.spend(1 + (characters >> 2))
  }

  /** A text of this length will be made. */
  makeText(length: number): void {
    this.checkLength(length)
    this.spend(1 + (length >> 5))
  }

  /** Joining two texts copies neither, until something reads the result and pays for that. */
  checkLength(length: number): void {
    if (length > this.#bounds.characters) throw exceeded('characters in one text', this.#bounds.characters)
  }

  /** A list or mapping of so many items will be made. */
  makeItems(count: number): void {
    if (count > this.#bounds.items) throw exceeded('items in one list', this.#bounds.items)
    this.spend(1 + count)
  }

  enter(levels = 1): void {
    this.#depth += levels
    if (this.#depth > this.#bounds.depth) throw exceeded('levels inside one another', this.#bounds.depth)
  }

  leave(levels = 1): void {
    this.#depth -= levels
  }
}

function exceeded(what: string, bound: number): Exceeded {
  return new Exceeded(`needs more than ${bound} ${what}; latentkit stops it there`)
}
