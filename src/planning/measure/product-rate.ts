import { memorySource } from '../../checkpoint/memory-source.ts'
import type { Kernels, Weight } from '../../kernels/contract.ts'
import { WEIGHT_TYPES, type WeightType, weightBytes } from '../../tensor/dtype.ts'
import { secondsOf } from './timing.ts'

/** Bytes of weights beyond which no cache of a processor holds them. */
const BEYOND_CACHES = 256 << 20
const LARGEST_MATRIX = 8 << 20
/** Tokens of a prompt at which products are limited by arithmetic. */
const PROMPT = 128

export interface ProductRate {
  /** Weights read by products with one token. */
  readonly bytesPerSecond: number
  /** Of products with a prompt. */
  readonly flops: number
}

/**
 * One token times matrices of a model's width, one after the other, as many as its layers have (up to 256 MB), so that
 * a small model's weights stay in the caches that they stay in when it runs.
 */
export async function productRate(
  kernels: Kernels,
  type: WeightType,
  width: number,
  modelBytes: number,
): Promise<ProductRate> {
  const { elements } = WEIGHT_TYPES[type]
  const cols = Math.max(elements, Math.round(width / elements) * elements)
  const rows = Math.max(1, Math.min(3 * cols, Math.floor(LARGEST_MATRIX / weightBytes(type, 1, cols))))
  const bytes = weightBytes(type, rows, cols)
  const weights: Weight[] = []
  for (let taken = 0; taken < Math.min(modelBytes, BEYOND_CACHES); taken += bytes) {
    weights.push(await madeUp(kernels, type, rows, cols))
  }
  const [x, y] = [kernels.alloc('f32', [PROMPT, cols]), kernels.alloc('f32', [PROMPT, rows])]
  kernels.upload(x, new Float32Array(PROMPT * cols).fill(0.5))
  const one = (t: typeof x) => ({ ...t, shape: [1, t.shape[1] as number] })
  const decode = await secondsOf(kernels, () => {
    for (const w of weights) kernels.matmul(one(y), one(x), w)
  })
  const prompt = await secondsOf(kernels, () => kernels.matmul(y, x, weights[0] as Weight))
  kernels.free(x)
  kernels.free(y)
  return { bytesPerSecond: (weights.length * bytes) / decode, flops: (2 * PROMPT * rows * cols) / prompt }
}

/** Bytes that are ordinary numbers in every type: 0x11 everywhere is small and positive, and no page of zeros. */
async function madeUp(kernels: Kernels, dtype: WeightType, rows: number, cols: number): Promise<Weight> {
  const whole = (n: number, name: string) => {
    const source = memorySource(name, new Uint8Array(n).fill(0x11))
    return { source, offset: 0, length: n }
  }
  const scales =
    dtype === 'e4m3'
      ? { bytes: whole(4 * Math.ceil(rows / 128) * Math.ceil(cols / 128), 'scales'), blockRows: 128, blockCols: 128 }
      : undefined
  const bytes = whole(weightBytes(dtype, rows, cols), 'weights')
  return kernels.prepare({ name: 'measured', dtype, rows, cols, bytes, ...(scales && { scales }) }, 'matmul')
}
