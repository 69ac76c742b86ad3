import { describe, expect, it } from 'vitest'
import { bucketOf, distanceColumns } from '../../src/nn/attention/distance-bias.ts'

/** Where buckets begin, as transformers 5.24 gives them (`T5Attention._relative_position_bucket`): `distance:bucket`, from the most negative on. */
const FOUND = [
  {
    buckets: 32,
    maxDistance: 128,
    ahead: true,
    runs: '-300:15 -90:14 -63:13 -45:12 -31:11 -22:10 -15:9 -11:8 -7:7 -6:6 -5:5 -4:4 -3:3 -2:2 -1:1 0:0 1:17 2:18 3:19 4:20 5:21 6:22 7:23 8:24 12:25 16:26 23:27 32:28 46:29 64:30 91:31',
  },
  {
    buckets: 32,
    maxDistance: 128,
    ahead: false,
    runs: '-300:31 -112:30 -98:29 -86:28 -76:27 -66:26 -58:25 -51:24 -45:23 -39:22 -34:21 -30:20 -26:19 -23:18 -20:17 -18:16 -15:15',
  },
  {
    buckets: 11,
    maxDistance: 33,
    ahead: true,
    runs: '-60:4 -12:3 -5:2 -1:1 0:0 1:6 2:7 6:8 13:9',
  },
  {
    buckets: 8,
    maxDistance: 20,
    ahead: false,
    runs: '-40:7 -13:6 -8:5 -5:4 -3:3 -2:2 -1:1 0:0',
  },
]

describe('buckets of distances', () => {
  it.each(FOUND)('$buckets up to $maxDistance, later keys too: $ahead', ({ buckets, maxDistance, ahead, runs }) => {
    const begins = runs.split(' ').map(run => Number(run.split(':')[0]))
    const found: string[] = []
    let last = -1
    for (let d = begins[0] as number; d <= (begins.at(-1) as number); d++) {
      const bucket = bucketOf({ buckets, maxDistance }, ahead, d)
      if (bucket !== last) found.push(`${d}:${bucket}`)
      last = bucket
    }
    expect(found.join(' ')).toBe(runs)
  })

  it.each(FOUND)(
    'a table of $buckets up to $maxDistance ends where nothing changes any more',
    ({ buckets, maxDistance, ahead }) => {
      const { start, count } = distanceColumns({ buckets, maxDistance }, ahead)
      const at = (d: number) => bucketOf({ buckets, maxDistance }, ahead, d)
      for (const further of [1, 2, 1000]) {
        expect(at(start - further)).toBe(at(start))
        expect(at(start + count - 1 + further)).toBe(at(start + count - 1))
      }
    },
  )
})
