import { computed } from '../../checkpoint/recode/derived.ts'
import { readRows } from '../../checkpoint/recode/weight-rows.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'

/** Rows of the output projection read at a time. */
const ROWS = 64

/**
 * The bias of MLA's output projection when its values have one too: W_O v + b, f32 [D]. Attention's weights have the sum
 * 1, so a bias of the values, v [H V], passes through unchanged; one of the keys adds the same to all scores of a query,
 * which softmax does not see. Neither has to be computed per token.
 */
export function withValueBias(
  out: WeightSource,
  values: () => Promise<Float32Array>,
  own?: WeightSource,
): WeightSource {
  const { rows: D, name } = out
  const sum = async () => {
    const v = await values()
    const sums = own ? await readRows(own, 0, 1) : new Float32Array(D)
    for (let row = 0; row < D; row += ROWS) {
      const count = Math.min(ROWS, D - row)
      const weights = await readRows(out, row, count)
      for (let r = 0; r < count; r++) {
        let dot = 0
        for (let k = 0; k < v.length; k++) dot += weights[r * v.length + k]! * v[k]!
        sums[row + r] = sums[row + r]! + dot
      }
    }
    return sums
  }
  return computed({ ...out, name: name.replace(/\.weight$/, '.bias') }, 1, D, sum)
}

/** Of a joined bias [H (N + V)], each head's last V numbers: [H V]. */
export async function valuePart(joined: WeightSource, heads: number, valueDim: number): Promise<Float32Array> {
  const all = await readRows(joined, 0, 1)
  const perHead = all.length / heads
  return Float32Array.from({ length: heads * valueDim }, (_, i) => {
    const head = Math.floor(i / valueDim)
    return all[head * perHead + perHead - valueDim + (i % valueDim)]!
  })
}
