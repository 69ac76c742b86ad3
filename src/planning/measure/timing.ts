import type { Kernels } from '../../kernels/contract/kernels.ts'

const WARM_UP = 2
const MIN_RUNS = 7
const MIN_SECONDS = 0.15

/** Median seconds of recording a list of operations and running it. */
export function secondsOf(kernels: Kernels, record: () => void): Promise<number> {
  return medianSeconds(async () => {
    record()
    await kernels.submit()
  })
}

/** After a warm-up. */
export async function medianSeconds(work: () => Promise<void>): Promise<number> {
  const times: number[] = []
  let spent = 0
  for (let run = 0; run < WARM_UP + MIN_RUNS || spent < MIN_SECONDS; run++) {
    const begun = performance.now()
    await work()
    const seconds = (performance.now() - begun) / 1000
    if (run < WARM_UP) continue
    times.push(seconds)
    spent += seconds
  }
  times.sort((a, b) => a - b)
  return times[times.length >> 1] as number
}
