import type { Operations } from '../kernels/operations/table.ts'
import { type Tensor, tensorAt } from '../tensor/tensor.ts'
import { type CacheLayout, planesOf } from './layout.ts'
import type { Block } from './pool.ts'

/** Consecutive planes with rows of one size. */
interface PlaneRun {
  readonly start: number
  readonly rowBytes: number
  count: number
}

/** Records a copy of the first `rows` rows of every layer into another block of the same group. */
export function copyRows(
  kernels: Pick<Operations, 'copy'>,
  layout: CacheLayout,
  to: Block,
  from: Block,
  rows: number,
): void {
  const { blockTokens } = layout
  const runs: PlaneRun[] = []
  for (const { start, rowBytes } of planesOf(layout, to.group)) {
    const last = runs.at(-1)
    const follows = last?.rowBytes === rowBytes && start === last.start + last.count * blockTokens * rowBytes
    if (last && follows) last.count++
    else runs.push({ start, rowBytes, count: 1 })
  }
  for (const { start, rowBytes, count } of runs) {
    const part = ({ memory }: Block): Tensor => ({
      ...tensorAt(memory.address + start, 'u8', [count, rows * rowBytes]),
      strides: [blockTokens * rowBytes, 1],
    })
    kernels.copy(part(to), part(from))
  }
}
