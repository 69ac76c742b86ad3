import type { Kernels } from '../kernels/contract/kernels.ts'
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
  const { layers, planes, rowBytes } = groups[to.group] as CacheLayout['groups'][number]
  for (const plane of planes) {
    // The plane's rows in each layer: [layers, bytes].
    const part = ({ memory }: Block): Tensor => ({
      ...tensorAt(memory.address + blockTokens * plane.before, 'u8', [layers.length, rows * plane.rowBytes]),
      strides: [blockTokens * rowBytes, 1],
    })
    kernels.copy(part(to), part(from))
  }
}
