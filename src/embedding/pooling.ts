/** From hidden states to vectors. Pure; sums are f64, in the order of the tokens. */

/** The mean of `count` rows from row `first` on; rows f32 [n, D]. */
export function meanRow(rows: Float32Array, first: number, count: number, D: number): Float64Array {
  const sum = new Float64Array(D)
  for (let t = first; t < first + count; t++) {
    const at = t * D
    for (let i = 0; i < D; i++) sum[i] = (sum[i] as number) + (rows[at + i] as number)
  }
  return sum.map(x => x / count)
}

/** The first `dimensions` numbers, divided by their length (L2) if `normalize`. A vector of zeros stays one. */
export function finished(vector: ArrayLike<number>, dimensions: number, normalize: boolean): Float32Array {
  let squares = 0
  for (let i = 0; i < dimensions; i++) squares += (vector[i] as number) ** 2
  const scale = normalize && squares > 0 ? 1 / Math.sqrt(squares) : 1
  return Float32Array.from({ length: dimensions }, (_, i) => (vector[i] as number) * scale)
}
