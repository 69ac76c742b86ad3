/** W_UK and W_UV of MLA: joined as on the hub, or apart as llama.cpp wants them. */

import { computed, reordered } from '../checkpoint/recode/derived.ts'
import { readRows } from '../checkpoint/recode/weight-rows.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import type { LatentAttentionConfig } from '../nn/attention/config.ts'

type Sizes = Pick<LatentAttentionConfig, 'nHeads' | 'kvLoraRank' | 'qkNopeHeadDim' | 'vHeadDim'>

export interface SplitUp {
  /** Every head's W_UK transposed: [H C, N], f32. */
  readonly key: WeightSource
  /** [H V, C] */
  readonly value: WeightSource
}

/** `joined`: [H (N + V), C], each head its N rows of keys, then V of values. */
export function splitKeyValueUp(joined: WeightSource, sizes: Sizes): SplitUp {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = sizes
  return {
    key: computed(joined, H * C, N, (start, count) =>
      headByHead(start, count, C, N, async head => turnRows(await readRows(joined, head * (N + V), N), N, C)),
    ),
    value: reordered(joined, H * V, row => Math.floor(row / V) * (N + V) + N + (row % V)),
  }
}

/** The reverse: [H (N + V), C], f32. */
export function joinKeyValueUp({ key, value }: SplitUp, sizes: Sizes): WeightSource {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = sizes
  return computed(key, H * (N + V), C, (start, count) =>
    headByHead(start, count, N + V, C, async head => {
      const rows = new Float32Array((N + V) * C)
      rows.set(turnRows(await readRows(key, head * C, C), C, N))
      rows.set(await readRows(value, head * V, V), N * C)
      return rows
    }),
  )
}

/** Rows `start` to `start + count` of a matrix whose heads have `headRows` rows each and come one by one. */
async function headByHead(
  start: number,
  count: number,
  headRows: number,
  cols: number,
  make: (head: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const rows = new Float32Array(count * cols)
  for (let head = Math.floor(start / headRows); head * headRows < start + count; head++) {
    const made = await make(head)
    const first = Math.max(start, head * headRows)
    const last = Math.min(start + count, (head + 1) * headRows)
    rows.set(made.subarray((first - head * headRows) * cols, (last - head * headRows) * cols), (first - start) * cols)
  }
  return rows
}

/** [rows, cols] -> [cols, rows] */
function turnRows(x: Float32Array, rows: number, cols: number): Float32Array {
  const y = new Float32Array(x.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) y[c * rows + r] = x[r * cols + c]!
  return y
}
