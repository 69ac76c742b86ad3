/** Rope applied to vectors that the model leaves as they are. */
import type { CellPath, CellRotation } from '../../../../src/browser.ts'

/** Distances of two tokens that are shown. */
export const DISTANCES = 24

/**
 * q · k of the part without positions, for distances 0 to `most`, if rope turned both as it turns the other part. undefined
 * where there is no such part, or too few pairs to tell rope's base from.
 */
export function scoresByDistance(
  { query, key, rope: [from] }: Pick<CellPath, 'query' | 'key' | 'rope'>,
  rotation: CellRotation,
  most: number,
): number[] | undefined {
  const size = from - (from % 2)
  const base = baseOf(rotation)
  if (size === 0 || base === undefined) return undefined
  const half = size / 2
  return Array.from({ length: most + 1 }, (_, distance) => {
    let sum = 0
    for (let i = 0; i < half; i++) {
      const [a, b] = rotation.interleaved ? [2 * i, 2 * i + 1] : [i, i + half]
      const angle = distance * base ** ((-2 * i) / size)
      const [q0, q1, k0, k1] = [query[a] ?? 0, query[b] ?? 0, key[a] ?? 0, key[b] ?? 0]
      // The query turned by the distance, the key not at all: only the difference counts.
      sum += Math.cos(angle) * (q0 * k0 + q1 * k1) + Math.sin(angle) * (q0 * k1 - q1 * k0)
    }
    return sum
  })
}

/** Pair i of r turns by position x base^(-i / r). The last pair is so slow that its angle is not a full turn or more. */
function baseOf({ query, key }: CellRotation): number | undefined {
  const { position, cos, sin } = query.position > 0 ? query : key
  const last = cos.length - 1
  if (last < 1 || position === 0) return undefined
  const frequency = Math.atan2(sin[last] ?? 0, cos[last] ?? 1) / position
  return frequency > 0 ? frequency ** (-cos.length / last) : undefined
}
