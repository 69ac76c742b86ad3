/** Lines in a terminal, of Braille's dots: eight for each character, so that 70 columns show 140 steps apart. */
import { scaleLinear } from 'd3-scale'
import { rangesOf, type Series } from '../../../src/for-apps.ts'
import type { Colours } from '../output/colour.ts'
import { seenWidth } from '../output/table.ts'

/** Bits of a Braille character's dots, by row and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const
const BRAILLE = 0x2800
/** What lines are drawn with where there are no colours to tell several runs apart. */
const LETTERS = '*o+x#%@&'
const PAINTS = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'] as const
const HEIGHT = 14
const MARGIN = 2

interface Cell {
  bits: number
  run: number
  mark: string | null
}

export interface TerminalChart {
  readonly title: string
  readonly series: readonly Series[]
  /** Of the terminal. */
  readonly columns: number
  readonly colours: Colours
}

export function terminalChart({ title, series, columns, colours }: TerminalChart): string {
  const ranges = rangesOf(series)
  const y = scaleLinear(ranges.y, [4 * HEIGHT - 1, 0]).nice(5)
  const ticks = y.ticks(5)
  const format = y.tickFormat(5)
  const labels = new Map(ticks.map(tick => [Math.floor(y(tick) / 4), format(tick)]))
  const indent = Math.max(...[...labels.values()].map(seenWidth)) + MARGIN
  const width = Math.max(20, Math.min(columns - indent - 2, 100))
  const x = scaleLinear(ranges.x, [0, 2 * width - 1])

  const cells = Array.from({ length: HEIGHT }, () =>
    Array.from({ length: width }, (): Cell => ({ bits: 0, run: 0, mark: null })),
  )
  const severalRuns = new Set(series.map(({ run }) => run)).size > 1
  const letters = severalRuns && !colours.isColorSupported
  const dot = (column: number, row: number, run: number, mark: string | null) => {
    const cell = cells[row >> 2]?.[column >> 1]
    if (!cell) return
    cell.bits |= DOTS[row & 3]?.[column & 1] ?? 0
    cell.run = run
    cell.mark = mark ?? cell.mark
  }
  for (const { points, run, kind } of series) {
    const letter = letters ? (LETTERS[run % LETTERS.length] as string) : null
    let before: readonly [number, number] | null = null
    for (const point of points) {
      const at = [Math.round(x(point[0])), Math.round(y(point[1]))] as const
      if (kind === 'marks') dot(...at, run, '•')
      else for (const between of onLine(before ?? at, at)) dot(...between, run, letter)
      before = at
    }
  }

  const paint = (run: number, text: string) => colours[PAINTS[run % PAINTS.length] as 'cyan'](text)
  const lines = cells.map((row, i) => {
    const drawn = row.map(cell => (cell.bits === 0 ? ' ' : paint(cell.run, cell.mark ?? braille(cell.bits)))).join('')
    return `${(labels.get(i) ?? '').padStart(indent - 1)} ${colours.dim(labels.has(i) ? '┤' : '│')}${drawn}`.trimEnd()
  })
  const [first, last] = ranges.x.map(step => String(Math.round(step))) as [string, string]
  const axis = `${' '.repeat(indent)}${colours.dim(`└${'─'.repeat(width)}`)}`
  const steps = `${' '.repeat(indent + 1)}${first}${'step'.padStart((width - first.length) >> 1)}`
  const below = steps + last.padStart(indent + 1 + width - seenWidth(steps))
  const legend = series.map(({ name, run, kind }) => {
    const sign = kind === 'marks' ? '•' : letters ? (LETTERS[run % LETTERS.length] as string) : '━'
    return `${' '.repeat(indent + 1)}${paint(run, sign)} ${name}`
  })
  return [colours.bold(title), ...lines, axis, colours.dim(below), ...legend].join('\n')
}

function braille(bits: number): string {
  return String.fromCharCode(BRAILLE + bits)
}

/** The dots from one to another, both included. */
function* onLine(
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
): Generator<readonly [number, number]> {
  const count = Math.max(1, Math.abs(x1 - x0), Math.abs(y1 - y0))
  for (let i = 0; i <= count; i++) {
    yield [Math.round(x0 + ((x1 - x0) * i) / count), Math.round(y0 + ((y1 - y0) * i) / count)]
  }
}
