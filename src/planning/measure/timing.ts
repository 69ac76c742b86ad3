import type { Kernels } from '../../kernels/contract.ts'

const WARM_UP = 2
const LEAST_RUNS = 7
const LEAST_SECONDS = 0.15

/** Median seconds of recording a list of operations and running it, after a warm-up. */
export async function secondsOf(kernels: Kernels, record: () => void): Promise<number> {
  const times: number[] = []
  let spent = 0
  for (let run = 0; run < WARM_UP + LEAST_RUNS || spent < LEAST_SECONDS; run++) {
    const begun = performance.now()
    record()
    await kernels.submit()
    const seconds = (performance.now() - begun) / 1000
    if (run < WARM_UP) continue
    times.push(seconds)
    spent += seconds
  }
  times.sort((a, b) => a - b)
  return times[times.length >> 1] as number
}
