/** How far two vectors are apart. */
export interface Apart {
  /** Of their ends, as a part of their mean length: 0 for equal ones. */
  readonly distance: number
  readonly cosine: number
}

export function apart(a: Float32Array, b: Float32Array): Apart {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)]
  const between = a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0)
  return { distance: (2 * Math.sqrt(between)) / (Math.sqrt(aa) + Math.sqrt(bb)), cosine: ab / Math.sqrt(aa * bb) }
}
