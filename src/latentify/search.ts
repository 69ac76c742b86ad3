/** The rope key and the base of its frequencies with which a cache of one size loses least. */

/** How the numbers of a cache are used. */
export interface Place {
  /** R */
  readonly rope: number
  readonly theta: number
}

/** Values that are tried, rising; a single one is not searched. */
export interface SearchSpace {
  readonly ropes: readonly number[]
  readonly thetas: readonly number[]
}

/** What is tried for a cache of `total` numbers, `start` among it: sizes and bases about a third, or three times, apart. */
export function searchSpace(
  start: Place,
  { total, width, theta }: { readonly total: number; readonly width: number; readonly theta: number },
): SearchSpace {
  const ropes: number[] = []
  for (let octave = 4; octave <= width; octave *= 2) ropes.push(octave, 1.5 * octave)
  const thetas = [300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000].filter(base => base <= theta)
  return {
    ropes: rising([...ropes.filter(rope => rope <= Math.min(width, total - 2)), start.rope]),
    thetas: rising([...thetas, start.theta]),
  }
}

/**
 * Goes from `start` along the sizes, then along the bases, and along the sizes again, as long as a neighbour loses less: one valley is assumed.
 * `lossOf` is asked once for each place.
 */
export async function searched(
  start: Place,
  { ropes, thetas }: SearchSpace,
  lossOf: (place: Place) => Promise<number>,
): Promise<Place> {
  const known = new Map<string, Promise<number>>()
  const loss = (place: Place) => {
    const key = `${place.rope} ${place.theta}`
    const found = known.get(key) ?? lossOf(place)
    known.set(key, found)
    return found
  }
  const alongRopes = async ({ rope, theta }: Place): Promise<Place> => ({
    theta,
    rope: await lowest(ropes, rope, rope => loss({ rope, theta })),
  })
  const first = await alongRopes(start)
  const theta = await lowest(thetas, first.theta, theta => loss({ rope: first.rope, theta }))
  return theta === first.theta ? first : alongRopes({ rope: first.rope, theta })
}

/** The value from which both neighbours lose more, on the side of `start` that falls. */
async function lowest(
  values: readonly number[],
  start: number,
  lossOf: (value: number) => Promise<number>,
): Promise<number> {
  const from = values.indexOf(start)
  let [best, least] = [from, values.length > 1 ? await lossOf(start) : 0]
  for (const way of [1, -1]) {
    for (let at = from + way; at >= 0 && at < values.length; at += way) {
      const loss = await lossOf(values[at] as number)
      if (!(loss < least)) break
      ;[best, least] = [at, loss]
    }
    if (best !== from) break
  }
  return values[best] as number
}

function rising(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}
