/** Tokens or words of one document that comes in parts: those of the whole text at once, without holding it. */
import { TrainingError } from '../errors.ts'

/** UTF-16 units that are held before a document is cut: shorter ones stay whole. */
const WINDOW = 1 << 20
/** Units on both sides of a cut that have to give the same apart as together. */
const CONTEXT = 2048
/** Places that are tried of each kind. */
const TRIES = 8
/** A document in which no place can be cut is held whole up to so many units. */
const MOST = 1 << 28

/** Where words begin, the likeliest first. What follows is no blank, so nothing before it is dropped as the end of the document. */
const PLACES: readonly ((text: string, at: number) => boolean)[] = [
  (text, at) => text[at - 1] === '\n' && isNoBlank(text[at]),
  (text, at) => text[at] === ' ' && isNoBlank(text[at + 1]) && isNoBlank(text[at - 1]),
  (text, at) => isNoBlank(text[at]) && isNoBlank(text[at - 1]) && !isLowSurrogate(text.charCodeAt(at)),
]

/**
 * A text is cut where what is on both sides is the same as without the cut, as far as `CONTEXT` units reach. Blanks around the document
 * are dropped.
 */
export class LongText<T extends number | string> {
  readonly #split: (text: string, first: boolean) => T[]
  readonly #window: number
  readonly #where: string
  #text = ''
  #hasWords = false
  #begun = false
  /** Units that are split at a time: more where no place to cut was found. */
  #most: number

  /** `split` a text, `first`: it begins the document. `where`: names the document in errors. */
  constructor(split: (text: string, first: boolean) => T[], where: string, window = WINDOW) {
    this.#split = split
    this.#where = where
    this.#window = window
    this.#most = window
  }

  /** Of what need not wait for more. Throws TrainingError for a document that is too long and cannot be cut. */
  *add(text: string): Generator<T[], void, void> {
    this.#text += this.#hasWords ? text : text.trimStart()
    this.#hasWords ||= this.#text !== ''
    while (this.#text.length > this.#most + CONTEXT) {
      const cut = this.#placeOfCut()
      if (cut !== null) {
        yield this.#next(this.#text.slice(0, cut))
        this.#text = this.#text.slice(cut)
        this.#most = this.#window
      } else if (this.#most < MOST) this.#most *= 2
      else {
        const met = `${this.#where} has more than ${MOST} characters and no place to cut it`
        throw new TrainingError(`${met}; divide it into documents (separator)`)
      }
    }
  }

  /** The rest; null: the document has nothing but blanks. */
  end(): T[] | null {
    const text = this.#text.trimEnd()
    if (text === '') return this.#begun ? [] : null
    return this.#next(text)
  }

  #next(text: string): T[] {
    const first = !this.#begun
    this.#begun = true
    return this.#split(text, first)
  }

  #placeOfCut(): number | null {
    const text = this.#text
    for (const isPlace of PLACES) {
      let tries = 0
      for (let at = this.#most; at > this.#most / 2 && tries < TRIES; at--) {
        if (!isPlace(text, at)) continue
        tries++
        if (this.#isClean(text, at)) return at
      }
    }
    return null
  }

  #isClean(text: string, at: number): boolean {
    const from = whole(text, Math.max(0, at - CONTEXT))
    const to = whole(text, at + CONTEXT)
    const split = (begin: number, end: number) => this.#split(text.slice(begin, end), false)
    const together = split(from, to)
    const apart = [...split(from, at), ...split(at, to)]
    return together.length === apart.length && together.every((token, i) => token === apart[i])
  }
}

/** A place that is not inside a character. */
function whole(text: string, at: number): number {
  return isLowSurrogate(text.charCodeAt(at)) ? at - 1 : at
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}

function isNoBlank(character: string | undefined): boolean {
  return character !== undefined && character.trim() !== ''
}
