import type { Colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { table } from '../output/table.ts'
import type { RungResult } from './program.ts'

const COLUMNS = [
  { head: 'rung' },
  { head: 'what it is' },
  { head: 'numbers', align: 'right' },
  { head: 'cache B/word', align: 'right' },
  { head: 'right, %' },
  { head: 'loss', align: 'right' },
  { head: 'words/s', align: 'right' },
  { head: 'no cache', align: 'right' },
] as const

/** All rungs, and below what lengths the shares are of. */
export function ladderView(results: readonly RungResult[], c: Colours): string {
  const rows = results.map(({ rung, title, parameters, bytesPerToken, accuracy, loss, speed }) => [
    rung,
    title,
    format.integer(parameters),
    bytesPerToken == null ? '' : format.integer(bytesPerToken),
    percents(accuracy),
    loss === null ? '' : format.decimals(loss, 2),
    speed?.cached == null ? '' : format.integer(speed.cached),
    speed ? format.integer(speed.uncached) : '',
  ])
  const lengths = new Map(results.map(({ task, accuracy }) => [task, Object.keys(accuracy).join(', ')]))
  const notes = [...lengths].map(([task, names]) => `${task}: right of ${names}`)
  const tuned = results.flatMap(({ rung, supervised }) =>
    supervised ? [`${rung}: ${percents(supervised)} before reinforcement learning`] : [],
  )
  const found = results.flatMap(({ rung, notes }) => notes.map(note => `${rung}: ${note}`))
  const texts = results.flatMap(({ rung, sample }) =>
    sample ? [`${rung}: ${sample.begun} ${c.bold(sample.continued)}`] : [],
  )
  return [
    table(COLUMNS, rows, { style: c.dim }),
    [...notes, ...tuned, ...found, ...timeOf(results)].join('\n'),
    texts.join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n')
}

function timeOf(results: readonly RungResult[]): string[] {
  if (results.some(({ processor }) => processor === undefined)) return []
  const minutes = (of: (result: RungResult) => number | undefined) =>
    format.decimals(results.reduce((sum, one) => sum + (of(one) ?? 0), 0) / 60, 1)
  const [learning, examining] = [minutes(one => one.processor), minutes(one => one.examination)]
  return [`Time of processors, all threads together: ${learning} min of learning, ${examining} min of examination`]
}

function percents(shares: Readonly<Record<string, number>>): string {
  return Object.values(shares)
    .map(share => String(Math.round(100 * share)).padStart(3))
    .join(' ')
}
