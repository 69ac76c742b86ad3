import { type CharSet, charSet } from './char-set.ts'
import { type Part, parseExpression } from './syntax.ts'

/** Kinds of states. `set` steps over a code point, backwards inside a lookbehind. */
export const OP = { match: 0, fail: 1, set: 2, split: 3, look: 4, lookSet: 5 } as const

/** States by number, with up to three operands. */
export interface Program {
  readonly start: number
  readonly op: Uint8Array
  /** set, lookSet: the next state. split: the state that is tried first. look: the next state. */
  readonly x: Int32Array
  /** set, lookSet: the set. split: the state that is tried next. look: the state where its own expression begins. */
  readonly y: Int32Array
  /** set: 1 backwards. split: its number. look: its number. lookSet: 1 negative, 2 behind, or both. */
  readonly z: Int32Array
  /** look: 1 where it is negative. split: 1 where it must be remembered even if its first way is closed. */
  readonly flag: Uint8Array
  readonly splits: number
  readonly looks: number
  readonly sets: readonly CharSet[]
}

/** States. The largest published expression takes 300. */
const MAX_STATES = 20_000
/** Parts compiled, each counted as often as loops repeat it. */
const MAX_VISITS = 200_000

interface Row {
  op: number
  x: number
  y: number
  z: number
  flag: number
}

/**
 * Compiles an expression to states. As in JavaScript, a loop repeats only after an iteration that consumed something. The
 * next state depends on that, so parts of a loop that may be empty are compiled twice. So no cycle of states is without a
 * step, and a state that failed at a position always fails there: the matcher can memorise it.
 */
export function compileProgram(source: string): Program {
  const compiler = new Compiler()
  const start = compiler.compile(parseExpression(source), compiler.match, compiler.match, false)
  return compiler.program(start)
}

class Compiler {
  readonly #rows: Row[] = []
  readonly #sets: CharSet[] = []
  readonly #setOf = new Map<string, number>()
  #splits = 0
  #visits = 0
  #looks = 0
  readonly match = this.#row({ op: OP.match })
  readonly #fail = this.#row({ op: OP.fail })

  /**
   * Compiles `part` for the case that the current loop iteration has consumed nothing yet. Continues at `stepped` if the
   * part consumes something, else at `empty`. Returns its first state.
   */
  compile(part: Part, stepped: number, empty: number, back: boolean): number {
    if (++this.#visits > MAX_VISITS) throw new Error('its loops stand inside one another too often')
    switch (part.kind) {
      case 'set':
        return this.#row({ op: OP.set, x: stepped, y: this.#set(part.source), z: back ? 1 : 0 })
      case 'sequence':
        return this.#sequence(back ? [...part.parts].reverse() : part.parts, stepped, empty, back)
      case 'choice': {
        const ways = part.parts.map(way => this.compile(way, stepped, empty, back))
        return ways.reduceRight((second, first) => this.#split(first, second))
      }
      case 'repeat':
        return this.#repeat(part, stepped, empty, back)
      case 'look':
        return this.#look(part, empty)
    }
  }

  program(start: number): Program {
    const column = (key: keyof Row) => Int32Array.from(this.#rows, row => row[key])
    return {
      start,
      op: Uint8Array.from(column('op')),
      x: column('x'),
      y: column('y'),
      z: column('z'),
      flag: Uint8Array.from(column('flag')),
      splits: this.#splits,
      looks: this.#looks,
      sets: this.#sets,
    }
  }

  #sequence(parts: readonly Part[], stepped: number, empty: number, back: boolean): number {
    let [whenStepped, whenEmpty] = [stepped, empty]
    for (let i = parts.length - 1; i >= 0; i--) {
      ;[whenStepped, whenEmpty] = this.#both(parts[i]!, whenStepped, whenEmpty, back)
    }
    return whenEmpty
  }

  /** The first state of `part` after a step, and without one. */
  #both(part: Part, stepped: number, empty: number, back: boolean): [number, number] {
    if (stepped === empty || !canBeEmpty(part)) {
      const state = this.compile(part, stepped, stepped, back)
      return [state, state]
    }
    return [this.compile(part, stepped, stepped, back), this.compile(part, stepped, empty, back)]
  }

  #repeat({ part, min, max, lazy }: Part & { kind: 'repeat' }, stepped: number, empty: number, back: boolean): number {
    let [whenStepped, whenEmpty] = [stepped, empty]
    let left = min
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#split(this.#fail, this.#fail, lazy)
      const again = this.compile(part, loop, this.#fail, back)
      this.#setBranches(loop, again, stepped, lazy)
      whenStepped = loop
      whenEmpty = stepped === empty ? loop : this.#split(this.#fail, this.#fail, lazy)
      if (whenEmpty !== loop) this.#setBranches(whenEmpty, again, empty, lazy)
      // A part that always consumes something is compiled once, since both cases are the same.
      if (left > 0 && !canBeEmpty(part)) {
        whenStepped = again
        whenEmpty = again
        left--
      }
    } else {
      for (let i = min; i < max; i++) {
        const once = this.compile(part, whenStepped, this.#fail, back)
        whenStepped = this.#split(this.#fail, this.#fail, lazy)
        this.#setBranches(whenStepped, once, stepped, lazy)
        whenEmpty = stepped === empty ? whenStepped : this.#split(this.#fail, this.#fail, lazy)
        if (whenEmpty !== whenStepped) this.#setBranches(whenEmpty, once, empty, lazy)
      }
    }
    for (; left > 0; left--) [whenStepped, whenEmpty] = this.#both(part, whenStepped, whenEmpty, back)
    return whenEmpty
  }

  #look({ part, behind, negative }: Part & { kind: 'look' }, next: number): number {
    if (part.kind === 'set') {
      const z = (negative ? 1 : 0) | (behind ? 2 : 0)
      return this.#row({ op: OP.lookSet, x: next, y: this.#set(part.source), z })
    }
    const inside = this.compile(part, this.match, this.match, behind)
    return this.#row({ op: OP.look, x: next, y: inside, z: this.#looks++, flag: negative ? 1 : 0 })
  }

  #split(first: number, second: number, lazy = false): number {
    return this.#row({ op: OP.split, x: first, y: second, z: this.#splits++, flag: lazy ? 1 : 0 })
  }

  #setBranches(split: number, again: number, on: number, lazy: boolean): void {
    const row = this.#rows[split]!
    row.x = lazy ? on : again
    row.y = lazy ? again : on
  }

  #set(source: string): number {
    const known = this.#setOf.get(source)
    if (known !== undefined) return known
    this.#sets.push(charSet(source))
    this.#setOf.set(source, this.#sets.length - 1)
    return this.#sets.length - 1
  }

  #row(row: Partial<Row> & { op: number }): number {
    if (this.#rows.length >= MAX_STATES)
      throw new Error(`it has more than ${MAX_STATES} states; latentkit takes no more`)
    this.#rows.push({ x: 0, y: 0, z: 0, flag: 0, ...row })
    return this.#rows.length - 1
  }
}

const emptiness = new WeakMap<Part, boolean>()

function canBeEmpty(part: Part): boolean {
  const known = emptiness.get(part)
  if (known !== undefined) return known
  const found = findEmptiness(part)
  emptiness.set(part, found)
  return found
}

function findEmptiness(part: Part): boolean {
  switch (part.kind) {
    case 'set':
      return false
    case 'sequence':
      return part.parts.every(canBeEmpty)
    case 'choice':
      return part.parts.some(canBeEmpty)
    case 'repeat':
      return part.min === 0 || canBeEmpty(part.part)
    case 'look':
      return true
  }
}
