import { memorySource } from '../../checkpoint/source/memory-source.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'

/** f32 [length], all the same: weights that a model has without a tensor in its files. */
export function constantVector(name: string, length: number, value: number): WeightSource {
  const bytes = new Uint8Array(new Float32Array(length).fill(value).buffer)
  const source = memorySource(name, bytes)
  return { name, dtype: 'f32', rows: 1, cols: length, bytes: { source, offset: 0, length: bytes.length } }
}
