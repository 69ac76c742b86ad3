/** Lines over two logarithmic axes, each with a label at its end and a dash, so that colour is never the only mark. */
import { scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { KINDS, type Kind, kindColour } from './colours.ts'
import { useTable } from './table.ts'
import { useWidth } from './use-width.ts'

export interface Series {
  readonly kind: Kind
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly strong: boolean
}

interface Props {
  series: readonly Series[]
  /** For screen readers: what the lines show. */
  label: string
  /** A vertical line, where the sliders are. */
  at: { readonly x: number; readonly label: string }
  /** Horizontal lines. */
  levels: readonly { readonly y: number; readonly label: string }[]
  formatX: (x: number) => string
  formatY: (y: number) => string
}

const HEIGHT = 340
const MARGIN = { top: 26, right: 84, bottom: 34, left: 62 }

export function LineChart({ series, label, at, levels, formatX, formatY }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>()
  useTable(ref, () => ({
    columns: ['line', 'x', 'y'],
    rows: series.flatMap(one => one.points.map(point => [one.label, ...point])),
  }))
  const all = series.flatMap(({ points }) => points)
  const xs = all.map(([x]) => x)
  const ys = all.map(([, y]) => y)
  const x = scaleLog([Math.min(...xs), Math.max(...xs)], [MARGIN.left, width - MARGIN.right]).base(2)
  const y = scaleLog([Math.min(...ys), Math.max(...ys)], [HEIGHT - MARGIN.bottom, MARGIN.top])
  const path = line<readonly [number, number]>()
    .x(point => x(point[0]))
    .y(point => y(point[1]))
  const labels = apart(
    series.map(one => y(one.points.at(-1)?.[1] ?? 1)),
    15,
  )
  const [lowest = 1, highest = 1] = y.domain()
  return (
    <div ref={ref}>
      <svg class="chart" width={width} height={HEIGHT} role="img" aria-label={label}>
        {every(y.ticks(5), 3).map(tick => (
          <g key={tick}>
            <line class="grid" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} />
            <text class="tick end" x={MARGIN.left - 8} y={y(tick) + 4}>
              {formatY(tick)}
            </text>
          </g>
        ))}
        {every(x.ticks(), width < 500 ? 4 : 2).map(tick => (
          <text key={tick} class="tick middle" x={x(tick)} y={HEIGHT - 12}>
            {formatX(tick)}
          </text>
        ))}
        {levels
          .filter(level => level.y > lowest && level.y < highest)
          .map(level => (
            <g key={level.label}>
              <line class="level" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(level.y)} y2={y(level.y)} />
              <text class="tick" x={MARGIN.left + 6} y={y(level.y) - 5}>
                {level.label}
              </text>
            </g>
          ))}
        <line class="at" x1={x(at.x)} x2={x(at.x)} y1={MARGIN.top - 6} y2={HEIGHT - MARGIN.bottom} />
        <text class="tick middle strong" x={Math.min(Math.max(x(at.x), 60), width - 60)} y={14}>
          {at.label}
        </text>
        {series.map((one, i) => (
          <g key={one.label} style={{ color: kindColour(one.kind) }}>
            <path
              class="line"
              d={path(one.points) ?? ''}
              stroke-width={one.strong ? 3 : 1.75}
              stroke-dasharray={KINDS[one.kind].dash}
            />
            <text class={one.strong ? 'name strong' : 'name'} x={width - MARGIN.right + 8} y={(labels[i] ?? 0) + 4}>
              {one.label}
            </text>
          </g>
        ))}
      </svg>
    </div>
  )
}

/** One tick of several. */
function every(ticks: readonly number[], of: number): number[] {
  const powers = ticks.filter(tick => Number.isInteger(Math.log10(tick)) || Number.isInteger(Math.log2(tick)))
  return powers.length > 8 ? powers.filter((_, i) => i % of === 0) : powers
}

/** Places of labels, none closer than `gap` to the next. */
function apart(wanted: readonly number[], gap: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0))
  const places = [...wanted]
  for (const [n, i] of order.entries()) {
    const above = order[n - 1]
    if (above !== undefined) places[i] = Math.max(places[i] ?? 0, (places[above] ?? 0) + gap)
  }
  return places
}
