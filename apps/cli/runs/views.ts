import type { RunRecord } from '../../../src/training/index.ts'
import type { Colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { type Column, table } from '../output/table.ts'
import { namesOf } from './series.ts'

/** Steps whose mean is shown: one step's loss says little. */
const LAST = 20

const COLUMNS: readonly Column[] = [
  { head: 'run' },
  { head: 'state' },
  { head: 'steps', align: 'right' },
  { head: `loss, last ${LAST}`, align: 'right' },
  { head: 'best validation', align: 'right' },
  { head: 'speed', align: 'right' },
  { head: 'updated' },
]

export function runsView(runs: readonly RunRecord[], c: Colours): string {
  const names = namesOf(runs)
  const rows = runs.map((run, i) => {
    const last = run.steps.slice(-LAST)
    const mean = last.reduce((sum, { loss }) => sum + loss, 0) / last.length
    const best = run.validations.toSorted((a, b) => a.loss - b.loss)[0]
    const [tokens, seconds] = [
      run.steps.reduce((n, s) => n + s.tokens, 0),
      run.steps.reduce((n, s) => n + s.seconds, 0),
    ]
    return [
      names[i] as string,
      run.state,
      `${format.integer(run.steps.at(-1)?.step ?? 0)} of ${format.integer(run.wantedSteps)}`,
      last.length > 0 ? format.decimals(mean, 4) : '—',
      best ? `${format.decimals(best.loss, 4)} (step ${format.integer(best.step)})` : '—',
      format.rate(tokens / seconds),
      format.minute(run.updated),
    ]
  })
  return table(COLUMNS, rows, { style: c.bold })
}
