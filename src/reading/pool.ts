/** A pattern in fewer numbers, for pictures: cell (i, j) stands for a rectangle of the pattern. */
export class Pool {
  readonly height: number
  readonly width: number
  readonly values: Float32Array
  readonly #rows: number
  readonly #keys: number
  readonly #mean: boolean

  /** `side`: most rows and columns of the result; a pattern that is smaller stays as it is. */
  constructor(rows: number, keys: number, side: number, kind: 'max' | 'mean') {
    this.height = Math.min(rows, side)
    this.width = Math.min(keys, side)
    this.values = new Float32Array(this.height * this.width)
    this.#rows = rows
    this.#keys = keys
    this.#mean = kind === 'mean'
  }

  /** Adds row r, counted from the first; of it the keys from `first` to `last`, both included: all others are 0. */
  add(r: number, row: Float32Array, at: number, first: number, last: number): void {
    const { width, values } = this
    const keys = this.#keys
    const to = Math.floor((r * this.height) / this.#rows) * width
    for (let s = first; s <= last; s++) {
      const cell = to + Math.floor((s * width) / keys)
      const p = row[at + s] as number
      if (this.#mean) values[cell] = (values[cell] as number) + p
      else if (p > (values[cell] as number)) values[cell] = p
    }
  }

  finish(): { readonly height: number; readonly width: number; readonly values: Float32Array } {
    const { height, width, values } = this
    if (this.#mean) {
      const rows = counts(this.#rows, height)
      const keys = counts(this.#keys, width)
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const cell = i * width + j
          values[cell] = (values[cell] as number) / ((rows[i] as number) * (keys[j] as number))
        }
      }
    }
    return { height, width, values }
  }
}

/** How many of n fall into each of `cells`. */
function counts(n: number, cells: number): number[] {
  const found = new Array<number>(cells).fill(0)
  for (let i = 0; i < n; i++) {
    const cell = Math.floor((i * cells) / n)
    found[cell] = (found[cell] as number) + 1
  }
  return found
}
