/** Weights and caches to one scale, with the memory they should fit into. */
import type { Plan } from '../../../src/planning/index.ts'
import type { Colours } from '../output/colour.ts'
import { seenWidth } from '../output/table.ts'
import { tens, twos } from './amounts.ts'
import { ownRow } from './tables.ts'

interface Bar {
  readonly name: string
  readonly bytes: number
  readonly paint: (text: string) => string
}

/** Columns for bars at most: longer ones say no more. */
const WIDEST = 60
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

export function bars(p: Plan, c: Colours, columns: number): string {
  const { perRank, memory, compare, ranks } = p
  const own = compare.length > 0 ? `cache, ${ownRow(p).title}` : 'cache'
  const all: Bar[] = [
    { name: 'weights', bytes: perRank.weightBytes, paint: c.blue },
    { name: own, bytes: perRank.cacheBytes, paint: c.green },
    ...compare.map(({ title, rankBytes }) => ({ name: `cache as ${title}`, bytes: rankBytes, paint: c.yellow })),
    ...(memory ? [{ name: 'memory', bytes: memory.bytes, paint: c.dim }] : []),
  ]
  const most = Math.max(...all.map(b => b.bytes))
  const names = Math.max(...all.map(b => seenWidth(b.name)))
  const amounts = all.map(b => `${tens(b.bytes)} = ${twos(b.bytes)}`)
  const room = Math.min(WIDEST, columns - names - Math.max(...amounts.map(seenWidth)) - 4)
  if (room < 8) return ''
  const lines = all.map(({ name, bytes, paint }, i) => {
    const bar = barOf((bytes / most) * room)
    return `${name.padEnd(names)}  ${paint(bar)}${' '.repeat(room - seenWidth(bar))}  ${amounts[i]}`
  })
  return [
    ...(ranks.total > 1
      ? [c.dim(p.stages ? `on the fullest of ${p.stages.length} stages` : `on each of ${ranks.total} ranks`)]
      : []),
    ...lines,
  ].join('\n')
}

/** What is there is seen: at least an eighth of a column. */
function barOf(length: number): string {
  const eighths = Math.max(1, Math.round(length * 8))
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] as string)
}
