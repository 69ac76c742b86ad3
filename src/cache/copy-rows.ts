import type { Kernels } from '../kernels/contract.ts'
import { type Tensor, tensorAt } from '../tensor/tensor.ts'
import type { CacheLayout } from './layout.ts'
import type { Block } from './pool.ts'

/** Records the copying of the first `rows` rows of every layer into another block of the same group. */
export function copyRows(
  kernels: Pick<Kernels, 'copy'>,
  { blockTokens, groups }: CacheLayout,
  to: Block,
  from: Block,
  rows: number,
): void {
  const { layers, rowBytes } = groups[to.group] as CacheLayout['groups'][number]
  // Rows of a layer lie behind each other: [layers, bytes].
  const part = ({ memory }: Block): Tensor => ({
    ...tensorAt(memory.address, 'u8', [layers.length, rows * rowBytes]),
    strides: [blockTokens * rowBytes, 1],
  })
  kernels.copy(part(to), part(from))
}
