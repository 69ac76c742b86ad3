/** Rows of heads that are rotated: the hub's files have what is rotated together as halves of a head, llama.cpp's as neighbours. */

/** The row of the hub's matrix that is row `row` in llama.cpp's. */
export function hubRow(row: number, headDim: number): number {
  const at = row % headDim
  return row - at + (at >> 1) + (at & 1) * (headDim / 2)
}

/** The other way: the row of llama.cpp's matrix that is row `row` on the hub. */
export function ggufRow(row: number, headDim: number): number {
  const at = row % headDim
  const half = headDim / 2
  return row - at + (at < half ? 2 * at : 2 * (at - half) + 1)
}
