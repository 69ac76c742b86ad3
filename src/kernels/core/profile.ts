import { OPERATION_NAMES } from '../operations/table.ts'

/** What records of one operation and one amount of work took together. */
export interface ProfileRow {
  readonly operation: string
  /** As recorded: of products the multiply-adds. */
  readonly work: number
  readonly count: number
  readonly seconds: number
}

/**
 * Where the time of lists goes: set as `CoreMemory.profile`, it sums the seconds of every record that is run. Two
 * readings of the clock a record are the cost: 50 ns natively, more in WebAssembly, which asks its host.
 */
export class Profile {
  readonly #rows = new Map<string, { -readonly [K in keyof ProfileRow]: ProfileRow[K] }>()
  #seconds = new Float64Array(1024)

  /** For a list of `length` numbers, all zero. */
  secondsFor(length: number): Float64Array {
    // A record has three numbers at least.
    if (this.#seconds.length * 3 < length) this.#seconds = new Float64Array(length)
    return this.#seconds.fill(0)
  }

  /** Takes in what `secondsFor` gave, filled in for the records of `list`. */
  add(list: Float64Array, length: number): void {
    for (let at = 0, i = 0; at < length; i++) {
      const [code, size, work] = [list[at], list[at + 1], list[at + 2]] as [number, number, number]
      const operation = OPERATION_NAMES[code] as string
      const key = `${operation} ${work}`
      const row = this.#rows.get(key) ?? { operation, work, count: 0, seconds: 0 }
      this.#rows.set(key, row)
      row.count++
      row.seconds += this.#seconds[i] as number
      at += size
    }
  }

  /** The longest first. */
  rows(): ProfileRow[] {
    return [...this.#rows.values()].sort((a, b) => b.seconds - a.seconds)
  }
}
