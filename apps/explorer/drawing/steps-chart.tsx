/** Lines over two even axes that begin at zero: how something grows from step to step. Each has a label at its end, and a dash. */
import { scaleLinear } from 'd3-scale'
import { curveStepAfter, line } from 'd3-shape'
import { KINDS, type Kind, kindColour } from './colours.ts'
import { useTable } from './table.ts'
import { useWidth } from './use-width.ts'

export interface StepSeries {
  readonly kind: Kind
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Stays as it is until the next point. */
  readonly steps?: boolean
}

interface Props {
  series: readonly StepSeries[]
  /** For screen readers: what the lines show. */
  label: string
  formatX: (x: number) => string
  formatY: (y: number) => string
}

const HEIGHT = 280
const MARGIN = { top: 16, right: 104, bottom: 34, left: 68 }
const LINE = 15

export function StepsChart({ series, label, formatX, formatY }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>()
  useTable(ref, () => ({
    columns: ['line', 'x', 'y'],
    rows: series.flatMap(one => one.points.map(point => [one.label, ...point])),
  }))
  const all = series.flatMap(({ points }) => points)
  const first = Math.min(...all.map(([x]) => x))
  const last = Math.max(...all.map(([x]) => x), first + 1)
  const x = scaleLinear([first, last], [MARGIN.left, width - MARGIN.right])
  const most = Math.max(...all.map(([, y]) => y)) || 1
  const y = scaleLinear([0, most], [HEIGHT - MARGIN.bottom, MARGIN.top])
  const ends = apart(series.map(({ points }) => y(points.at(-1)?.[1] ?? 0)))
  return (
    <div ref={ref}>
      <svg class="chart" width={width} height={HEIGHT} role="img" aria-label={label}>
        {y.ticks(4).map(tick => (
          <g key={tick}>
            <line class="grid" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} />
            <text class="tick end" x={MARGIN.left - 8} y={y(tick) + 4}>
              {formatY(tick)}
            </text>
          </g>
        ))}
        {x
          .ticks(width < 500 ? 3 : 6)
          .filter(Number.isInteger)
          .map(tick => (
            <text key={tick} class="tick middle" x={x(tick)} y={HEIGHT - 12}>
              {formatX(tick)}
            </text>
          ))}
        {series.map((one, i) => {
          const path = line<readonly [number, number]>()
            .x(point => x(point[0]))
            .y(point => y(point[1]))
          return (
            <g key={one.label} style={{ color: kindColour(one.kind) }}>
              <path
                class="line"
                d={(one.steps ? path.curve(curveStepAfter) : path)(one.points) ?? ''}
                stroke-width={2.5}
                stroke-dasharray={KINDS[one.kind].dash}
              />
              <text class="name" x={width - MARGIN.right + 8} y={(ends[i] ?? 0) + 4}>
                {one.label}
              </text>
            </g>
          )
        })}
      </svg>
    </div>
  )
}

/** Heights of labels, none closer than a line to the next, from the lowest on upwards. */
function apart(wanted: readonly number[]): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[b] ?? 0) - (wanted[a] ?? 0))
  const places = [...wanted]
  for (const [n, i] of order.entries()) {
    const below = order[n - 1]
    if (below !== undefined) places[i] = Math.min(places[i] ?? 0, (places[below] ?? 0) - LINE)
  }
  return places
}
