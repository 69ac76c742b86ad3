/** Eight signs in seven bits: the number of minus signs is even, so the eighth follows from the others. */
export function evenSigns(bits: number): number {
  let parity = bits ^ (bits >> 4)
  parity ^= parity >> 2
  parity ^= parity >> 1
  return bits | ((parity & 1) << 7)
}

/** y[to + i] = ± scale * grid[pattern][i] for a pattern of `size` values; bit i of `signs` is a minus. */
export function signedGroup(
  y: Float32Array,
  to: number,
  grid: Int8Array,
  pattern: number,
  size: number,
  signs: number,
  scale: number,
): void {
  for (let i = 0; i < size; i++) {
    const value = scale * grid[pattern * size + i]!
    y[to + i] = (signs >> i) & 1 ? -value : value
  }
}
