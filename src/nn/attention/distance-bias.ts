/**
 * Positions as biases of scores by the distance of query and key, one for each head and bucket of distances (T5, arXiv 1910.10683,
 * section 2.1). The first layer of a stack has the table, and all layers use it.
 */
import type { Tensor } from '../../tensor/tensor.ts'

export interface DistanceBiasConfig {
  /** Of distances; of an encoder's, half for keys before the query and half for those behind it. */
  readonly buckets: number
  /** Distances from here on share the last bucket. */
  readonly maxDistance: number
}

/** f32 [H, N]: the biases of N neighbouring distances (key - query) from `start` on; beyond them the nearest one's. */
export interface DistanceBias {
  readonly table: Tensor
  readonly start: number
}

/** First distance of the columns of a table, and their number. `ahead`: queries see later keys too, as in an encoder. */
export function distanceColumns({ maxDistance }: DistanceBiasConfig, ahead: boolean): { start: number; count: number } {
  return { start: -maxDistance, count: maxDistance + 1 + (ahead ? maxDistance : 0) }
}

/** The bucket of a distance. Half of the buckets are exact, the others grow logarithmically; in f32, as the models were trained. */
export function bucketOf({ buckets, maxDistance }: DistanceBiasConfig, ahead: boolean, distance: number): number {
  const each = ahead ? Math.floor(buckets / 2) : buckets
  const first = ahead && distance > 0 ? each : 0
  const far = ahead ? Math.abs(distance) : Math.max(-distance, 0)
  const exact = Math.floor(each / 2)
  if (far < exact) return first + far
  const { fround } = Math
  const part = fround(fround(Math.log(fround(far / exact))) / fround(Math.log(maxDistance / exact)))
  return first + Math.min(exact + Math.floor(fround(part * (each - exact))), each - 1)
}
