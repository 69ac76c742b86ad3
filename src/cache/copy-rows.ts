import type { Kernels } from '../kernels/contract.ts'
import { DTYPE_BYTES } from '../tensor/dtype.ts'
import { type Tensor, tensorAt } from '../tensor/tensor.ts'
import { type CacheLayout, segmentBytes } from './layout.ts'
import type { Block } from './pool.ts'

/** Records the copying of the first `rows` rows of every layer into another block of the same group. */
export function copyRows(
  kernels: Pick<Kernels, 'copy'>,
  { blockTokens, groups }: CacheLayout,
  to: Block,
  from: Block,
  rows: number,
): void {
  const { layers, segments, rowBytes } = groups[to.group] as CacheLayout['groups'][number]
  let offset = 0
  for (const s of segments) {
    const size = DTYPE_BYTES[s.dtype]
    const row = rowBytes / size
    // [layers, rows, numbers of the segment]
    const part = ({ memory }: Block): Tensor => ({
      ...tensorAt(memory.address + offset, s.dtype, [layers.length, rows, s.heads * s.width]),
      strides: [blockTokens * row, row, 1],
    })
    kernels.copy(part(to), part(from))
    offset += segmentBytes(s)
  }
}
