import type { Colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { table } from '../output/table.ts'
import { type Design, type GridRow, plus } from './program.ts'

const COLUMNS = [
  { head: 'task' },
  { head: 'attention' },
  { head: 'cache B/token', align: 'right' },
  { head: 'numbers', align: 'right' },
  { head: 'runs', align: 'right' },
  { head: 'loss', align: 'right' },
  { head: 'right, %', align: 'right' },
  { head: 'difference', align: 'right' },
  { head: '' },
  { head: 'rise', align: 'right' },
] as const

export function gridView(rows: readonly GridRow[], { against, margin }: Design, c: Colours): string {
  const cells = rows.map(row => [
    row.task,
    row.attention,
    format.integer(row.bytesPerToken),
    format.integer(row.parameters),
    String(row.runs),
    plus(row.loss, 1, 3),
    row.right === null ? '' : plus(row.right, 100, 1),
    row.difference === null ? '' : plus(row.difference, 1, 3),
    row.verdict ?? '',
    row.rise === null ? '' : format.decimals(row.rise, 2),
  ])
  const note = `Means and intervals of 95 % over seeds. difference: of losses from ${against}'s by the same seeds; same: surely less than ${margin} nats apart, open: not decided by these runs; rise: how far the loss of ten steps went up again while it was learned, at most`
  return `${table(COLUMNS, cells, { style: c.dim })}\n\n${note}`
}
