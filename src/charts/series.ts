/** Numbers that are drawn over other numbers. */

export type Point = readonly [x: number, value: number]

export interface Series {
  readonly name: string
  /** Which colour: series of one run have the same. */
  readonly run: number
  /** `marks`: few values, each a mark of its own. */
  readonly kind: 'line' | 'marks'
  readonly points: readonly Point[]
}

/** The smallest ranges that hold all points. */
export function rangesOf(series: readonly Series[]): { readonly x: [number, number]; readonly y: [number, number] } {
  const x: [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const y: [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { points } of series) {
    for (const point of points) {
      for (const [range, value] of [
        [x, point[0]],
        [y, point[1]],
      ] as const) {
        range[0] = Math.min(range[0], value)
        range[1] = Math.max(range[1], value)
      }
    }
  }
  return { x: widened(x), y: widened(y) }
}

/** A range of one value has no width to draw on. */
function widened([low, high]: [number, number]): [number, number] {
  if (low < high) return [low, high]
  const half = Math.abs(low) / 10 || 1
  return [low - half, low + half]
}
