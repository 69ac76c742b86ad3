import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { Factors } from '../../kernels/contract/operation-options.ts'

/** Rows, columns and sums of the product: it fits the second-level caches, and one takes about a millisecond. */
const [T, N, K] = [256, 512, 512] as const
const PRODUCTS = 4
const MAX_MS = 60

/** FLOP/s of products with such factors, the fastest of a few rounds; null for the reference, which is not there to be fast. */
export async function measurePeak(kernels: Kernels, factors: Factors): Promise<number | null> {
  if (kernels.info.name === 'reference') return null
  const [x, y, w] = [
    kernels.memory.alloc('f32', [T, K]),
    kernels.memory.alloc('f32', [T, N]),
    kernels.memory.alloc('f32', [N, K]),
  ]
  kernels.fill(x, 0.5)
  kernels.fill(w, 0.5)
  const weight = kernels.weightOf('peak', w)
  let least = Number.POSITIVE_INFINITY
  const until = performance.now() + MAX_MS
  do {
    const begun = performance.now()
    for (let i = 0; i < PRODUCTS; i++) kernels.trainingMatmul(y, x, weight, { factors })
    await kernels.submit()
    least = Math.min(least, performance.now() - begun)
  } while (performance.now() < until)
  for (const tensor of [x, y, w]) kernels.memory.free(tensor)
  return (2 * T * N * K * PRODUCTS * 1000) / least
}
