/**
 * Singular values and projections of tall or wide matrices. Own code: two hundred lines of the field's libraries would
 * bring a whole one, and it must run in a browser's worker. Eigenvalues of the smaller Gram matrix, by Householder's reduction and
 * implicit QL (Golub and Van Loan, Matrix Computations, sections 8.3 and 8.6), all in f64: a singular value below 1e-8 of the
 * largest is noise, and so are f32 numbers below 1e-7.
 */

/** Lets messages in, if it is time; throws when the work is to end. */
type Pause = () => Promise<void>

/** f32 [rows, cols] by rows. */
export interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly values: Float32Array
}

export interface Eigen {
  /** The largest first. */
  readonly values: Float64Array
  /** [n, n]: column j belongs to value j. */
  readonly vectors: Float64Array
}

/** Most rows or columns, whichever are fewer: the work grows with their cube. */
export const MAX_RANK = 2048
/** For one eigenvalue; finite matrices take two or three. */
const MAX_TRIES = 100

/** The Gram matrix of the smaller side: X Xᵀ or Xᵀ X. */
export async function gram(
  { rows, cols, values }: Matrix,
  pause: Pause,
): Promise<{ readonly n: number; readonly matrix: Float64Array }> {
  const tall = rows > cols
  const n = tall ? cols : rows
  const matrix = new Float64Array(n * n)
  if (tall) {
    for (let t = 0; t < rows; t++) {
      await pause()
      const row = values.subarray(t * cols, (t + 1) * cols)
      for (let i = 0; i < n; i++) {
        const x = row[i] as number
        for (let j = 0; j <= i; j++) matrix[i * n + j] = (matrix[i * n + j] as number) + x * (row[j] as number)
      }
    }
  } else {
    for (let i = 0; i < n; i++) {
      await pause()
      for (let j = 0; j <= i; j++) {
        let sum = 0
        for (let k = 0; k < cols; k++) sum += (values[i * cols + k] as number) * (values[j * cols + k] as number)
        matrix[i * n + j] = sum
      }
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) matrix[j * n + i] = matrix[i * n + j] as number
  return { n, matrix }
}

/** The singular values, the largest first. */
export function singularValues({ values }: Eigen): Float64Array {
  return values.map(x => Math.sqrt(Math.max(x, 0)))
}

/** errors[r] = |X - X_r| / |X|, X_r the best matrix of rank r (Eckart and Young): r from 0 to n. */
export function lossByRank({ values }: Eigen): Float64Array {
  const errors = new Float64Array(values.length + 1)
  let left = 0
  for (let r = values.length - 1; r >= 0; r--) {
    left += Math.max(values[r] as number, 0)
    errors[r] = left
  }
  const whole = errors[0] as number
  return errors.map(x => (whole > 0 ? Math.sqrt(x / whole) : 0))
}

/** X projected to its best subspace of rank r, on the side whose Gram matrix `eigen` is of. */
export async function projected(
  { rows, cols, values }: Matrix,
  { vectors }: Eigen,
  rank: number,
  pause: Pause,
): Promise<Float32Array> {
  const tall = rows > cols
  const n = tall ? cols : rows
  const result = new Float32Array(values.length)
  const kept = Math.min(rank, n)
  const v = (i: number, r: number) => vectors[i * n + r] as number
  if (tall) {
    const parts = new Float64Array(kept)
    for (let t = 0; t < rows; t++) {
      await pause()
      parts.fill(0)
      for (let i = 0; i < n; i++) {
        const x = values[t * cols + i] as number
        for (let r = 0; r < kept; r++) parts[r] = (parts[r] as number) + x * v(i, r)
      }
      for (let i = 0; i < n; i++) {
        let sum = 0
        for (let r = 0; r < kept; r++) sum += (parts[r] as number) * v(i, r)
        result[t * cols + i] = sum
      }
    }
    return result
  }
  const parts = new Float64Array(kept * cols)
  for (let r = 0; r < kept; r++) {
    await pause()
    for (let i = 0; i < n; i++) {
      const x = v(i, r)
      for (let k = 0; k < cols; k++) {
        parts[r * cols + k] = (parts[r * cols + k] as number) + x * (values[i * cols + k] as number)
      }
    }
  }
  const row = new Float64Array(cols)
  for (let i = 0; i < n; i++) {
    await pause()
    row.fill(0)
    for (let r = 0; r < kept; r++) {
      const x = v(i, r)
      for (let k = 0; k < cols; k++) row[k] = (row[k] as number) + x * (parts[r * cols + k] as number)
    }
    result.set(row, i * cols)
  }
  return result
}

/** Eigenvalues and vectors of a symmetric matrix [n, n], which is used up. */
export async function symmetricEigen(n: number, matrix: Float64Array, pause: Pause): Promise<Eigen> {
  const d = new Float64Array(n)
  const e = new Float64Array(n)
  await tridiagonal(n, matrix, d, e, pause)
  await implicitQl(n, matrix, d, e, pause)
  const order = Array.from(d, (_, i) => i).sort((a, b) => (d[b] as number) - (d[a] as number))
  const vectors = new Float64Array(n * n)
  for (const [to, from] of order.entries()) {
    for (let i = 0; i < n; i++) vectors[i * n + to] = matrix[i * n + from] as number
  }
  return { values: Float64Array.from(order, i => d[i] as number), vectors }
}

/** Householder: a becomes the orthogonal Q with QᵀAQ tridiagonal; d its diagonal, e what stands left of it, from 1 on. */
async function tridiagonal(n: number, a: Float64Array, d: Float64Array, e: Float64Array, pause: Pause): Promise<void> {
  const at = (i: number, j: number) => a[i * n + j] as number
  for (let i = n - 1; i > 0; i--) {
    await pause()
    let scale = 0
    for (let k = 0; k < i; k++) scale += Math.abs(at(i, k))
    let h = 0
    if (i === 1 || scale === 0) {
      e[i] = at(i, i - 1)
    } else {
      for (let k = 0; k < i; k++) {
        a[i * n + k] = at(i, k) / scale
        h += at(i, k) ** 2
      }
      const f = at(i, i - 1)
      const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h)
      e[i] = scale * g
      h -= f * g
      a[i * n + i - 1] = f - g
      let sum = 0
      for (let j = 0; j < i; j++) {
        a[j * n + i] = at(i, j) / h
        let product = 0
        for (let k = 0; k <= j; k++) product += at(j, k) * at(i, k)
        for (let k = j + 1; k < i; k++) product += at(k, j) * at(i, k)
        e[j] = product / h
        sum += (e[j] as number) * at(i, j)
      }
      const half = sum / (h + h)
      for (let j = 0; j < i; j++) {
        const f = at(i, j)
        const g = (e[j] as number) - half * f
        e[j] = g
        for (let k = 0; k <= j; k++) a[j * n + k] = at(j, k) - f * (e[k] as number) - g * at(i, k)
      }
    }
    d[i] = h
  }
  d[0] = 0
  e[0] = 0
  for (let i = 0; i < n; i++) {
    await pause()
    if (d[i] !== 0) {
      const factors = new Float64Array(i)
      for (let k = 0; k < i; k++) {
        const x = at(i, k)
        for (let j = 0; j < i; j++) factors[j] = (factors[j] as number) + x * at(k, j)
      }
      for (let k = 0; k < i; k++) {
        const x = at(k, i)
        for (let j = 0; j < i; j++) a[k * n + j] = at(k, j) - (factors[j] as number) * x
      }
    }
    d[i] = at(i, i)
    a[i * n + i] = 1
    for (let j = 0; j < i; j++) {
      a[j * n + i] = 0
      a[i * n + j] = 0
    }
  }
}

/** Implicit QL: d becomes the eigenvalues; the columns of z, at first Q, their vectors. */
async function implicitQl(n: number, z: Float64Array, d: Float64Array, e: Float64Array, pause: Pause): Promise<void> {
  const dAt = (i: number) => d[i] as number
  const eAt = (i: number) => e[i] as number
  e.copyWithin(0, 1)
  e[n - 1] = 0
  for (let l = 0; l < n; l++) {
    for (let tries = 0; ; tries++) {
      await pause()
      let m = l
      while (m < n - 1) {
        const size = Math.abs(dAt(m)) + Math.abs(dAt(m + 1))
        if (Math.abs(eAt(m)) <= Number.EPSILON * size) break
        m++
      }
      if (m === l) break
      // Numbers that are not finite never converge.
      if (tries === MAX_TRIES) throw new RangeError('symmetricEigen: no convergence; expected finite numbers')
      let g = (dAt(l + 1) - dAt(l)) / (2 * eAt(l))
      const root = Math.hypot(g, 1)
      g = dAt(m) - dAt(l) + eAt(l) / (g + (g >= 0 ? root : -root))
      let [s, c, p] = [1, 1, 0]
      let i = m - 1
      for (; i >= l; i--) {
        const f = s * eAt(i)
        const b = c * eAt(i)
        const r = Math.hypot(f, g)
        e[i + 1] = r
        if (r === 0) {
          d[i + 1] = dAt(i + 1) - p
          e[m] = 0
          break
        }
        s = f / r
        c = g / r
        g = dAt(i + 1) - p
        const t = (dAt(i) - g) * s + 2 * c * b
        p = s * t
        d[i + 1] = g + p
        g = c * t - b
        for (let k = 0; k < n; k++) {
          const row = k * n + i
          const x = z[row + 1] as number
          const y = z[row] as number
          z[row + 1] = s * y + c * x
          z[row] = c * y - s * x
        }
      }
      if (i >= l) continue
      d[l] = dAt(l) - p
      e[l] = g
      e[m] = 0
    }
  }
}
