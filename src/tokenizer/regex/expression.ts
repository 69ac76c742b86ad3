import { TokenizerError } from '../errors.ts'
import { MEMORY, type Work } from '../work.ts'
import type { CharSet } from './char-set.ts'
import { compileProgram, OP, type Program } from './program.ts'

/** Bits stored per state and position. */
const FAILED = 1
const HELD = 2
/** Steps counted for starting on a text. */
const START_STEPS = 16

/**
 * A regular expression in linear time: the text's length times the expression's. It finds the same matches as JavaScript's
 * backtracking, but memorises which states failed at which positions of the text. JavaScript's own matcher can take
 * exponential time, and the expressions of a tokenizer.json are untrusted.
 */
export class Expression {
  readonly #program: Program
  #starts: Starts | undefined

  /** `source`: in JavaScript's syntax with the flag u. Throws an Error if it is too large. */
  constructor(source: string) {
    this.#program = compileProgram(source)
  }

  /** Start and end of each match, flat: [0, 3, 3, 7 …]. Throws TokenizerError for too much work. */
  findAll(text: string, work: Work): number[] {
    this.#starts ??= new Starts(this.#program, work)
    return new Matcher(this.#program, this.#starts, text, work).findAll()
  }
}

/** The characters that a match may begin with. */
class Starts {
  /** By code unit: 0 unknown, 1 a match may begin with it, 2 it cannot. */
  readonly #known = new Uint8Array(0x10000)
  /** One of these sets contains the first character; undefined: a match may be empty, or begin with anything. */
  readonly #sets: readonly CharSet[] | undefined

  constructor({ start, op, x, y, sets }: Program, work: Work) {
    work.spend(op.length)
    const first = new Set<CharSet>()
    const seen = new Set<number>()
    const open = [start]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      if (op[next] === OP.set) first.add(sets[y[next]!]!)
      else if (op[next] === OP.split) open.push(x[next]!, y[next]!)
      else if (op[next] !== OP.fail) return
    }
    this.#sets = [...first]
  }

  /** A cheap test of the first character. */
  has(unit: number, work: Work): boolean {
    if (this.#sets === undefined) return true
    const known = this.#known[unit]!
    if (known !== 0) return known === 1
    work.spend(this.#sets.length)
    const high = (unit & 0xfc00) === 0xd800
    const may = high || this.#sets.some(set => set.has(unit))
    this.#known[unit] = may ? 1 : 2
    return may
  }
}

/** An array of two-bit numbers, all 0 at first. */
class Cells {
  readonly #bytes: Uint8Array

  constructor(count: number) {
    this.#bytes = new Uint8Array((count + 3) >> 2)
  }

  get(cell: number): number {
    return (this.#bytes[cell >>> 2]! >> ((cell & 3) << 1)) & 3
  }

  set(cell: number, value: number): void {
    const shift = (cell & 3) << 1
    this.#bytes[cell >>> 2] = (this.#bytes[cell >>> 2]! & ~(3 << shift)) | (value << shift)
  }
}

/** The matcher's state for one text. */
class Matcher {
  readonly #program: Program
  readonly #starts: Starts
  readonly #text: string
  readonly #work: Work
  /** One cell per split and position. */
  readonly #memory: Cells
  /** One cell per lookaround and position. */
  readonly #looked: Cells
  /** Stack of alternatives to try: state and position. */
  #pending = new Int32Array(48)
  #pendingCount = 0
  /** Splits on the way to where the matcher stands: they have not failed. By way, how many there were. */
  #path = new Int32Array(16)
  #pathCount = 0

  constructor(program: Program, starts: Starts, text: string, work: Work) {
    this.#program = program
    this.#starts = starts
    this.#text = text
    this.#work = work
    const places = text.length + 1
    const cells = (program.splits + program.looks) * places
    if (cells / 4 > MEMORY) {
      throw new TokenizerError(`an expression of ${program.splits} choices is too large for ${text.length} characters`)
    }
    // A text may be split into pieces of one character, so the cost of starting counts too.
    work.spend(START_STEPS + (cells >> 6))
    this.#memory = new Cells(program.splits * places)
    this.#looked = new Cells(program.looks * places)
  }

  findAll(): number[] {
    const text = this.#text
    const found: number[] = []
    this.#work.spend(4 * text.length)
    let at = 0
    while (at <= text.length) {
      const may = at === text.length || this.#starts.has(text.charCodeAt(at), this.#work)
      const end = may ? this.#run(this.#program.start, at, false) : -1
      if (end >= 0) found.push(at, end)
      at = end > at ? end : at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
    }
    return found
  }

  /** The end of the match that begins at `from`; -1 if none. `inLook`: only its existence matters. */
  #run(start: number, from: number, inLook: boolean): number {
    const { op, x, y, z, flag, sets, splits } = this.#program
    const text = this.#text
    const memory = this.#memory
    const bottom = this.#pendingCount
    const pathBottom = this.#pathCount
    let state = start
    let at = from
    let steps = 0
    for (;;) {
      let failed = false
      if ((++steps & 0xffff) === 0) this.#work.spend(0x10000)
      switch (op[state]) {
        case OP.set: {
          const set = sets[y[state]!]!
          if (z[state] === 0) {
            if (at === text.length) failed = true
            else {
              let code = text.charCodeAt(at)
              let size = 1
              if ((code & 0xfc00) === 0xd800) {
                code = text.codePointAt(at)!
                if (code > 0xffff) size = 2
              }
              if (set.has(code)) at += size
              else failed = true
            }
          } else {
            const before = codePointBefore(text, at)
            if (before >= 0 && set.has(before)) at -= before > 0xffff ? 2 : 1
            else failed = true
          }
          state = x[state]!
          break
        }
        case OP.split: {
          const cell = at * splits + z[state]!
          const known = memory.get(cell)
          if (known === HELD) {
            this.#leave(bottom, pathBottom, HELD)
            this.#work.spend(steps & 0xffff)
            return at
          }
          if (known === FAILED) failed = true
          else {
            const first = x[state]!
            const closed =
              flag[state] === 0 && op[first] === OP.set && z[first] === 0 && !this.#matchesAt(sets[y[first]!]!, at)
            if (closed) state = y[state]!
            else {
              memory.set(cell, FAILED)
              this.#pushAlternative(cell, y[state]!, at)
              state = first
            }
          }
          break
        }
        case OP.lookSet: {
          const way = z[state]!
          const set = sets[y[state]!]!
          const code = way & 2 ? codePointBefore(text, at) : at < text.length ? text.codePointAt(at)! : -1
          failed = (code >= 0 && set.has(code)) === ((way & 1) === 1)
          state = x[state]!
          break
        }
        case OP.look:
          failed = this.#look(state, at) === (flag[state] === 1)
          state = x[state]!
          break
        case OP.match:
          this.#leave(bottom, pathBottom, inLook ? HELD : 0)
          this.#work.spend(steps & 0xffff)
          return at
        default:
          failed = true
      }
      if (!failed) continue
      if (this.#pendingCount === bottom) {
        this.#pathCount = pathBottom
        this.#work.spend(steps & 0xffff)
        return -1
      }
      this.#pendingCount -= 3
      state = this.#pending[this.#pendingCount]!
      at = this.#pending[this.#pendingCount + 1]!
      this.#pathCount = this.#pending[this.#pendingCount + 2]!
    }
  }

  /** Ends a run: marks the splits on its path and drops its pending alternatives. */
  #leave(bottom: number, pathBottom: number, mark: number): void {
    for (let i = pathBottom; i < this.#pathCount; i++) this.#memory.set(this.#path[i]!, mark)
    this.#pathCount = pathBottom
    this.#pendingCount = bottom
  }

  #look(state: number, at: number): boolean {
    const { y, z, looks } = this.#program
    const cell = at * looks + z[state]!
    const known = this.#looked.get(cell)
    if (known !== 0) return known === HELD
    const holds = this.#run(y[state]!, at, true) >= 0
    this.#looked.set(cell, holds ? HELD : FAILED)
    return holds
  }

  #matchesAt(set: { has(codePoint: number): boolean }, at: number): boolean {
    return at < this.#text.length && set.has(this.#text.codePointAt(at)!)
  }

  /** Enters a split: its second state is tried if the first fails. */
  #pushAlternative(cell: number, state: number, at: number): void {
    if (this.#pathCount === this.#path.length) this.#path = doubled(this.#path)
    if (this.#pendingCount + 3 > this.#pending.length) this.#pending = doubled(this.#pending)
    this.#path[this.#pathCount++] = cell
    this.#pending[this.#pendingCount++] = state
    this.#pending[this.#pendingCount++] = at
    this.#pending[this.#pendingCount++] = this.#pathCount
  }
}

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(numbers.length * 2)
  grown.set(numbers)
  return grown
}

function codePointBefore(text: string, at: number): number {
  if (at === 0) return -1
  const unit = text.charCodeAt(at - 1)
  const pair = (unit & 0xfc00) === 0xdc00 && at > 1 && (text.charCodeAt(at - 2) & 0xfc00) === 0xd800
  return pair ? text.codePointAt(at - 2)! : unit
}
