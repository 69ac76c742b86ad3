/** Roots, directions and solutions, on the solver of symmetric eigenproblems that `src/reading/svd.ts` has. */
import { type Eigen, symmetricEigen } from '../reading/svd.ts'
import {
  addScaled,
  at,
  type Complex,
  complexZeros,
  type Dense,
  dot,
  product,
  rowOf,
  transposed,
  zeros,
} from './dense.ts'

/** Eigenvalues below this share of the largest count as it: what seems not to matter at all matters a little on other texts. */
const LEAST_SHARE = 1e-5

const AT_ONCE = async () => {}

/** Of a symmetric matrix, the largest value first; the matrix stays. Column j of `vectors` belongs to value j. */
export function eigenOf(a: Dense): Promise<Eigen> {
  return symmetricEigen(a.rows, a.values.slice(), AT_ONCE)
}

/** a^(1/2) of a symmetric matrix without negative eigenvalues. */
export async function rootOf(a: Dense): Promise<Dense> {
  const n = a.rows
  const { values, vectors } = await eigenOf(a)
  const largest = values[0] as number
  if (!(largest > 0)) return zeros(n, n)
  const v: Dense = { rows: n, cols: n, values: vectors }
  const columns = zeros(n, n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      columns.values[i * n + j] = at(v, i, j) * Math.sqrt(Math.max(values[j] as number, LEAST_SHARE * largest))
    }
  }
  return product(columns, transposed(v))
}

/** The unit vector u with the largest uᴴ h u of a Hermitian h [n, n]: a column, [n, 1]. */
export async function firstDirection({ re, im }: Complex): Promise<Complex> {
  const n = re.rows
  // As a real problem of twice the size, whose values come in pairs; any vector of the first pair will do.
  const real = zeros(2 * n, 2 * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      real.values[2 * n * i + j] = at(re, i, j)
      real.values[2 * n * (n + i) + n + j] = at(re, i, j)
      real.values[2 * n * i + n + j] = -at(im, i, j)
      real.values[2 * n * (n + i) + j] = at(im, i, j)
    }
  }
  const { vectors } = await eigenOf(real)
  const u = complexZeros(n, 1)
  for (let i = 0; i < n; i++) {
    u.re.values[i] = vectors[2 * n * i] as number
    u.im.values[i] = vectors[2 * n * (n + i)] as number
  }
  return u
}

/** x with h x = b, of a Hermitian positive definite h [n, n] and b [n, m]: by Cholesky's factors. */
export function solveHermitian(h: Complex, b: Complex): Complex {
  const n = h.re.rows
  const m = b.re.cols
  const size = 2 * n
  const real = zeros(size, size)
  const right = zeros(size, m)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      real.values[size * i + j] = at(h.re, i, j)
      real.values[size * (n + i) + n + j] = at(h.re, i, j)
      real.values[size * i + n + j] = -at(h.im, i, j)
      real.values[size * (n + i) + j] = at(h.im, i, j)
    }
    rowOf(right, i).set(rowOf(b.re, i))
    rowOf(right, n + i).set(rowOf(b.im, i))
  }
  const solved = transposed(solveFactorised(cholesky(real), transposed(right)))
  const x = complexZeros(n, m)
  x.re.values.set(solved.values.subarray(0, n * m))
  x.im.values.set(solved.values.subarray(n * m))
  return x
}

/**
 * The lower triangle l with l lᵀ = a, in place of a. Sums in f32 of rows whose sizes differ by orders of magnitude are not quite positive definite: as much as it
 * takes is added to the diagonal, in steps of ten. Throws RangeError for a matrix that is far from it.
 */
export function cholesky(a: Dense): Dense {
  const given = a.values.slice()
  let mean = 0
  for (let i = 0; i < a.rows; i++) mean += Math.max(at(a, i, i), 0) / a.rows
  for (let share = 0; share <= MOST_ADDED; share = share === 0 ? LEAST_ADDED : 10 * share) {
    a.values.set(given)
    for (let i = 0; i < a.rows; i++) a.values[i * a.cols + i] = at(a, i, i) + share * mean
    if (triangle(a)) return a
  }
  throw new RangeError('cholesky: the matrix is far from positive definite; expected finite numbers')
}

/** Shares of the mean diagonal. */
const LEAST_ADDED = 1e-8
const MOST_ADDED = 0.1

/** Whether the matrix was positive definite. */
function triangle(a: Dense): boolean {
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = at(a, i, j) - dot(rowOf(a, i).subarray(0, j), rowOf(a, j).subarray(0, j))
      if (i !== j) a.values[i * a.cols + j] = rest / at(a, j, j)
      else if (rest > 0) a.values[i * a.cols + i] = Math.sqrt(rest)
      else return false
    }
  }
  return true
}

/** b a^-1 of a symmetric a with these factors: every row of b by itself. */
export function solveFactorised(factor: Dense, b: Dense): Dense {
  const x: Dense = { ...b, values: b.values.slice() }
  for (let r = 0; r < x.rows; r++) {
    const row = rowOf(x, r)
    for (let i = 0; i < row.length; i++) {
      const before = row.subarray(0, i)
      row[i] = ((row[i] as number) - dot(rowOf(factor, i).subarray(0, i), before)) / at(factor, i, i)
    }
    for (let i = row.length - 1; i >= 0; i--) {
      const value = (row[i] as number) / at(factor, i, i)
      row[i] = value
      addScaled(row.subarray(0, i), -value, rowOf(factor, i).subarray(0, i))
    }
  }
  return x
}
