import { memorySource } from '../../checkpoint/source/memory-source.ts'
import type { HubTensor } from '../../conversion/hub/plan-tensors.ts'

/** Numbers in memory as a tensor of a safetensors file. */
export function f32Tensor(name: string, shape: readonly number[], numbers: Float32Array): HubTensor {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  const range = { source: memorySource(name, bytes), offset: 0, length: bytes.length }
  const source = { name, dtype: 'f32', rows: 1, cols: numbers.length, bytes: range } as const
  return { name, type: 'f32', shape, bytes: bytes.length, source }
}
