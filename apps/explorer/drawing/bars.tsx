/** Bars with their numbers beside them: read as a list by screen readers. */
import { type Kind, kindColour } from './colours.ts'
import { shortened } from './format.ts'
import { useTable } from './table.ts'
import { useWidth } from './use-width.ts'

export interface Bar {
  readonly kind: Kind
  readonly label: string
  readonly value: number
  readonly text: string
  readonly strong: boolean
}

const ROW = 34
/** Widths of letters of a name and of a number, as drawn at most. */
const LETTER = 7.6
const MIN_LABEL = 52
const MIN_ROOM = 40

interface Props {
  bars: readonly Bar[]
  label: string
  /** Value of a whole bar. Default: the largest. */
  most?: number
}

export function Bars({ bars, label, most: whole }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>()
  useTable(ref, () => ({ columns: ['name', label], rows: bars.map(bar => [bar.label, bar.value]) }))
  const most = whole ?? (Math.max(...bars.map(({ value }) => value)) || 1)
  const longest = (of: (bar: Bar) => string) => Math.max(0, ...bars.map(bar => of(bar).length))
  const labels = Math.max(longest(({ label }) => shortened(label)) * LETTER + 10, MIN_LABEL)
  const room = Math.max(width - labels - longest(({ text }) => text) * LETTER - 10, MIN_ROOM)
  return (
    <div ref={ref}>
      <svg class="chart" width={width} height={bars.length * ROW} role="img" aria-label={`${label}: ${spoken(bars)}`}>
        {bars.map((bar, i) => (
          <g key={String(i)} style={{ color: kindColour(bar.kind) }}>
            <text class={bar.strong ? 'name strong' : 'name'} x={0} y={i * ROW + 21}>
              {shortened(bar.label)}
            </text>
            <rect
              class="bar"
              x={labels}
              y={i * ROW + 7}
              height={ROW - 14}
              rx={3}
              width={Math.max((room * bar.value) / most, 2)}
            />
            <text
              class={bar.strong ? 'value strong' : 'value'}
              x={labels + (room * bar.value) / most + 10}
              y={i * ROW + 21}
            >
              {bar.text}
            </text>
          </g>
        ))}
      </svg>
    </div>
  )
}

function spoken(bars: readonly Bar[]): string {
  return bars.map(({ label, text }) => `${label} ${text}`).join(', ')
}
