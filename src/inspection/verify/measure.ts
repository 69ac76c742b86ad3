/** Errors between what was computed and what was expected. */

/** Worst |got - want| / (1 + |want|). NaN where only one of them is a number counts as infinite. */
export function worstError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let worst = 0
  for (let i = 0; i < want.length; i++) {
    const error = errorOf(got[i] as number, want[i] as number)
    if (error > worst) worst = error
  }
  return worst
}

function errorOf(got: number, want: number): number {
  if (Object.is(got, want) || got === want) return 0
  const error = Math.abs(got - want) / (1 + Math.abs(want))
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
}

/** Mean squared difference of each of `rows` rows, for root mean squares. */
export function meanSquares(got: Float32Array, want: Float32Array, rows: number): number[] {
  const n = want.length / rows
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0
    for (let i = row * n; i < (row + 1) * n; i++) sum += ((got[i] as number) - (want[i] as number)) ** 2
    return Number.isNaN(sum) ? Number.POSITIVE_INFINITY : sum / n
  })
}

export function argmax(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) {
    if ((values[start + i] as number) > (values[start + best] as number)) best = i
  }
  return best
}
