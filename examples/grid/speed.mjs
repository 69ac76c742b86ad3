/** How fast each kind of attention writes behind a long text: models of drawn weights, since what they are does not change the work. `latentkit grid speed` shows it. */
import { openWorkbench } from 'latentkit/attention'
import { likeliest } from '../ladder/random.mjs'
import { DESIGN, KINDS } from './design.mjs'
import { interval } from './intervals.mjs'
import { build } from './model.mjs'

const WORDS = 256

/** All sizes of a kind of attention, times the scale of the design. */
function scaled({ kind, ...sizes }, scale) {
  const larger = Object.entries(sizes).map(([name, value]) => [name, name === 'nKvHeads' ? value : scale * value])
  return { kind, ...Object.fromEntries(larger) }
}

/**
 * Yields { attention, bytesPerToken, perSecond, processor } for each kind in each round: tokens per second, and seconds of all processors for one token. The kinds take turns, so that what
 * else the machine does meets all of them alike. `sizes`: in place of the design's.
 */
export async function* speeds({ threads, sizes } = {}) {
  const { rounds, ...given } = { ...DESIGN.speed, ...sizes }
  const bench = await openWorkbench({ ...(threads && { threads }) })
  try {
    const writers = []
    for (const attention of KINDS) writers.push(await writerOf(bench, attention, given))
    for (let round = 0; round < rounds; round++) {
      for (const { attention, bytesPerToken, write } of writers) {
        const [begun, used] = [performance.now(), process.cpuUsage()]
        await write()
        const [seconds, { user, system }] = [(performance.now() - begun) / 1000, process.cpuUsage(used)]
        const processor = (user + system) / 1e6 / given.written
        yield { attention, bytesPerToken, perSecond: given.written / seconds, processor }
      }
    }
  } finally {
    await bench.close()
  }
}

/** `write()`: so many tokens behind a text of `behind`, which stays as it was. It has been called once. */
async function writerOf(bench, attention, { scale, behind, written }) {
  const { size, ...model } = DESIGN.model
  const kind = scaled(DESIGN.attention[attention], scale)
  const own = build(bench, { ...model, size: scale * size, attention: kind, words: WORDS, seed: 0 })
  const cache = own.newCache(bench)
  const ids = Array.from({ length: behind }, (_, i) => (7 * i) % WORDS)
  await bench.read(own.logits(bench, ids, { cache }))
  await bench.clear()
  const write = async () => {
    let id = 1
    for (let t = 0; t < written; t++) {
      id = likeliest(await bench.read(own.logits(bench, [id], { cache })))
      await bench.clear()
    }
    cache.truncate(behind)
  }
  await write()
  return { attention, bytesPerToken: cache.bytesPerToken, write }
}

/** A row for each kind: means of the rounds with their intervals, and processor time as a multiple of that of the one compared with, round by round. */
export function speedRows(runs, against = DESIGN.against) {
  const of = kind => runs.filter(({ attention }) => attention === kind)
  return [...new Set(runs.map(({ attention }) => attention))].map(attention => {
    const [own, base] = [of(attention), of(against)]
    return {
      ...{ attention, bytesPerToken: own[0].bytesPerToken, rounds: own.length },
      perSecond: interval(own.map(({ perSecond }) => perSecond)),
      processor: interval(own.map(({ processor }, i) => processor / base[i].processor)),
    }
  })
}
