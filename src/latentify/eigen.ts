/** Roots and directions, on the solver of symmetric eigenproblems that `src/reading/svd.ts` has. */
import { type Eigen, symmetricEigen } from '../reading/svd.ts'
import { at, type Complex, complexZeros, type Dense, identity, product, transposed, zeros } from './dense.ts'

/** Eigenvalues below this share of the largest count as it: what seems not to matter at all matters a little on other texts. */
const MIN_SHARE = 1e-5

const AT_ONCE = async () => {}

/** Of a symmetric matrix, the largest value first; the matrix stays. Column j of `vectors` belongs to value j. */
export function eigenOf(a: Dense): Promise<Eigen> {
  return symmetricEigen(a.rows, a.values.slice(), AT_ONCE)
}

/** a^(1/2) of a symmetric matrix without negative eigenvalues, and its inverse. */
export async function rootOf(a: Dense): Promise<{ readonly root: Dense; readonly inverse: Dense }> {
  const n = a.rows
  const { values, vectors } = await eigenOf(a)
  const largest = values[0] as number
  // Nothing counts: any metric will do.
  if (!(largest > 0)) return { root: identity(n), inverse: identity(n) }
  const v: Dense = { rows: n, cols: n, values: vectors }
  const power = (exponent: number): Dense => {
    const columns = zeros(n, n)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        columns.values[i * n + j] = at(v, i, j) * Math.max(values[j] as number, MIN_SHARE * largest) ** exponent
      }
    }
    return product(columns, transposed(v))
  }
  return { root: power(1 / 2), inverse: power(-1 / 2) }
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
