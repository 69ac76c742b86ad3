/** Matrices in f64, by rows: what a conversion is computed with. Products go row by row, so that memory is read in order. */

export interface Dense {
  readonly rows: number
  readonly cols: number
  /** [rows, cols] */
  readonly values: Float64Array
}

/** Real and imaginary part, of one shape. */
export interface Complex {
  readonly re: Dense
  readonly im: Dense
}

export function zeros(rows: number, cols: number): Dense {
  return { rows, cols, values: new Float64Array(rows * cols) }
}

export function identity(n: number): Dense {
  const one = zeros(n, n)
  for (let i = 0; i < n; i++) one.values[i * n + i] = 1
  return one
}

export function complexZeros(rows: number, cols: number): Complex {
  return { re: zeros(rows, cols), im: zeros(rows, cols) }
}

export function at(a: Dense, row: number, col: number): number {
  return a.values[row * a.cols + col] as number
}

export function rowOf({ values, cols }: Dense, row: number): Float64Array {
  return values.subarray(row * cols, (row + 1) * cols)
}

/** Rows `start` to `start + count`; they share memory with the matrix. */
export function rowsOf({ values, cols }: Dense, start: number, count: number): Dense {
  return { rows: count, cols, values: values.subarray(start * cols, (start + count) * cols) }
}

export function stacked(parts: readonly Dense[]): Dense {
  const all = zeros(
    parts.reduce((sum, part) => sum + part.rows, 0),
    (parts[0] as Dense).cols,
  )
  let row = 0
  for (const part of parts) {
    all.values.set(part.values, row * all.cols)
    row += part.rows
  }
  return all
}

export function transposed(a: Dense): Dense {
  const t = zeros(a.cols, a.rows)
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.cols; j++) t.values[j * a.rows + i] = at(a, i, j)
  }
  return t
}

/** y += factor x */
export function addScaled(y: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) + factor * (x[i] as number)
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number)
  return sum
}

/** a b */
export function product(a: Dense, b: Dense): Dense {
  const c = zeros(a.rows, b.cols)
  for (let i = 0; i < a.rows; i++) {
    const sums = rowOf(c, i)
    for (let k = 0; k < a.cols; k++) {
      const factor = at(a, i, k)
      if (factor !== 0) addScaled(sums, factor, rowOf(b, k))
    }
  }
  return c
}

/** a bᵀ */
function productOfRows(a: Dense, b: Dense): Dense {
  const c = zeros(a.rows, b.rows)
  for (let i = 0; i < a.rows; i++) {
    const row = rowOf(a, i)
    for (let j = 0; j < b.rows; j++) c.values[i * b.rows + j] = dot(row, rowOf(b, j))
  }
  return c
}

/** a s aᵀ of a symmetric s */
export function sandwich(a: Dense, s: Dense): Dense {
  return symmetrised(productOfRows(product(a, s), a))
}

/** What rounding has made unequal is made equal again. */
export function symmetrised(a: Dense): Dense {
  const n = a.rows
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const mean = (at(a, i, j) + at(a, j, i)) / 2
      a.values[i * n + j] = mean
      a.values[j * n + i] = mean
    }
  }
  return a
}

/** Two matrices on the diagonal of one. */
export function blocks(first: Dense, second: Dense): Dense {
  const all = zeros(first.rows + second.rows, first.cols + second.cols)
  for (let i = 0; i < first.rows; i++) rowOf(all, i).set(rowOf(first, i))
  for (let i = 0; i < second.rows; i++) rowOf(all, first.rows + i).set(rowOf(second, i), first.cols)
  return all
}
