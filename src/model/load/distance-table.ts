import { computed } from '../../checkpoint/recode/derived.ts'
import { readRows } from '../../checkpoint/recode/weight-rows.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import { bucketOf, type DistanceBiasConfig, distanceColumns } from '../../nn/attention/distance-bias.ts'

/** The biases of neighbouring distances, [heads, distances] as one row: f32, from those of their buckets, [buckets, heads]. */
export function distanceTable(stored: WeightSource, c: DistanceBiasConfig, ahead: boolean): WeightSource {
  const H = stored.cols
  const { start, count } = distanceColumns(c, ahead)
  return computed(stored, 1, H * count, async () => {
    const rows = await readRows(stored, 0, c.buckets)
    const buckets = Array.from({ length: count }, (_, i) => bucketOf(c, ahead, start + i))
    return Float32Array.from({ length: H * count }, (_, i) => {
      return rows[(buckets[i % count] as number) * H + Math.floor(i / count)] as number
    })
  })
}
