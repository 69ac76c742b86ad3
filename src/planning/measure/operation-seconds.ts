import type { Kernels } from '../../kernels/contract.ts'
import { secondsOf } from './timing.ts'

const MANY = 256

export interface OperationSeconds {
  /** Of one small operation in a list, recording included: a norm of one row. */
  readonly each: number
  /** Of handing over a list, whatever it holds, and reading a number back. */
  readonly step: number
}

export async function operationSeconds(kernels: Kernels, width: number): Promise<OperationSeconds> {
  const [x, y, weight] = [[1, width], [1, width], [width]].map(shape => kernels.alloc('f32', shape))
  if (!x || !y || !weight) throw new TypeError('operationSeconds: no tensors')
  const norms = (n: number) => () => {
    for (let i = 0; i < n; i++) kernels.rmsNorm(y, x, weight, 1e-6)
  }
  const [one, many] = [await secondsOf(kernels, norms(1)), await secondsOf(kernels, norms(MANY))]
  const begun = performance.now()
  for (let i = 0; i < 100; i++) await kernels.read(y)
  const read = (performance.now() - begun) / 1e5
  for (const t of [x, y, weight]) kernels.free(t)
  return { each: Math.max(0, many - one) / (MANY - 1), step: one + read }
}
