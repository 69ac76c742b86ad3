/** Allowed: |got - want| <= abs + rel x |want|. */
export interface Tolerance {
  readonly rel: number
  readonly abs: number
}

export const EXACT: Tolerance = { rel: 0, abs: 0 }

/** What is wrong, or null: NaN must meet NaN, infinity the same infinity, numbers within what is allowed at i. */
export function difference(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  allowed: (i: number) => number,
  shape: readonly number[] = [want.length],
): string | null {
  if (got.length !== want.length) return `${got.length} elements, expected ${want.length}`
  let worst = -1
  let worstRatio = 1
  let count = 0
  for (let i = 0; i < want.length; i++) {
    const a = got[i]!
    const b = want[i]!
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    const error = Math.abs(a - b)
    const limit = allowed(i)
    // One of them NaN or infinite, or a difference where none is allowed: infinitely wrong.
    const ratio = Number.isFinite(error) && limit > 0 ? error / limit : Number.POSITIVE_INFINITY
    if (ratio <= 1) continue
    count++
    if (worst < 0 || ratio > worstRatio) {
      worst = i
      worstRatio = ratio
    }
  }
  if (worst < 0) return null
  return (
    `${count} of ${want.length} differ; worst at [${indexIn(shape, worst).join(', ')}] of [${shape.join(', ')}]: ` +
    `got ${got[worst]}, expected ${want[worst]}, ${worstRatio.toPrecision(3)} times the allowed ${allowed(worst)}`
  )
}

/** Throws with `what` and the worst element. */
export function expectClose(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: Tolerance,
  shape?: readonly number[],
): void {
  const found = difference(got, want, i => tolerance.abs + tolerance.rel * Math.abs(want[i]!), shape)
  if (found) throw new Error(`${what}: ${found}`)
}

function indexIn(shape: readonly number[], flat: number): number[] {
  const index: number[] = []
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]!)
    flat = Math.floor(flat / shape[axis]!)
  }
  return index
}
