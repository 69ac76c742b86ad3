/** What a step costs besides its products: of one small operation, and of a step whatever it computes. */
import { memorySource } from '../../checkpoint/source/memory-source.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { medianSeconds, secondsOf } from './timing.ts'

const MANY = 128
const ROWS = 64
/** Buffers that say what a step is about. */
const UPLOADS = 5

export interface OperationSeconds {
  /** Of one small operation between products, recording and waking threads included: a norm of one row. */
  readonly each: number
  /** Of a step whatever it computes: telling ids and positions, handing over a list, reading the logits back. */
  readonly step: number
}

export async function operationSeconds(kernels: Kernels, width: number, vocabulary: number): Promise<OperationSeconds> {
  const shapes = [[1, width], [1, width], [width], [1, ROWS], [1, vocabulary], [1, UPLOADS]]
  const tensors = shapes.map(shape => kernels.memory.alloc('f32', shape))
  const [x, y, weight, out, logits, ids] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
  const bytes = 4 * ROWS * width
  const source = memorySource('measured', new Uint8Array(bytes).fill(0x3c))
  const matrix = {
    name: 'measured',
    dtype: 'f32',
    rows: ROWS,
    cols: width,
    bytes: { source, offset: 0, length: bytes },
  } as const
  const product = await kernels.prepare(matrix)
  const list = (norms: boolean, n: number) => () => {
    for (let i = 0; i < n; i++) {
      if (norms) kernels.rmsNorm(y, x, weight, 1e-6)
      kernels.matmul(out, y, product)
    }
  }
  const products = await secondsOf(kernels, list(false, MANY))
  const both = await secondsOf(kernels, list(true, MANY))
  const step = await medianSeconds(async () => {
    for (let i = 0; i < UPLOADS; i++) kernels.memory.upload({ ...ids, shape: [1] }, Float32Array.of(i))
    kernels.rmsNorm(y, x, weight, 1e-6)
    await kernels.submit()
    await kernels.memory.read(logits)
  })
  for (const t of tensors) kernels.memory.free(t)
  return { each: Math.max(0, both - products) / MANY, step }
}
