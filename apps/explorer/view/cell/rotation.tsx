/** Rope as dials: each pair of numbers is a hand that turns with the token's position, the first pair fastest. */
import type { CellRotation, RotatedVector } from '../../../../src/browser.ts'
import { Figure } from '../../drawing/figure.tsx'
import { useWidth } from '../../drawing/use-width.ts'

const DIAL = 58
/** With the gap after it. */
const STEP = DIAL + 8
const MOST = 8

export function Rotation({ rotation, from, to }: { rotation: CellRotation; from: string; to: string }) {
  const { query, key, interleaved } = rotation
  return (
    <Figure
      title="Pairs of numbers, turned by the position"
      file="latentkit-rope"
      note="Thin: before. Thick: after. Pair i turns by position × base^(−2i/d): the first pairs fast, the last hardly. Both products use the same rotated numbers, so only the difference of the positions counts."
    >
      <Dials name={`query “${from}”`} vector={query} interleaved={interleaved} />
      <Dials name={`key “${to}”`} vector={key} interleaved={interleaved} />
    </Figure>
  )
}

function Dials({ name, vector, interleaved }: { name: string; vector: RotatedVector; interleaved: boolean }) {
  const { ref, width } = useWidth<HTMLDivElement>()
  const title = `${name}, position ${vector.position}`
  const pairs = vector.cos.length
  const shown = Math.min(pairs, MOST)
  const columns = Math.min(Math.max(Math.floor(width / STEP), 1), shown)
  const rows = Math.ceil(shown / columns)
  const hand = (values: Float32Array, i: number) => {
    const [x = 0, y = 0] = interleaved ? [values[2 * i], values[2 * i + 1]] : [values[i], values[i + pairs]]
    const length = Math.hypot(x, y) || 1
    const r = DIAL / 2 - 6
    return { x2: DIAL / 2 + (x / length) * r, y2: DIAL / 2 - (y / length) * r }
  }
  return (
    <div ref={ref} class="dials">
      <p class="hint" data-drawn={title}>
        {title}
      </p>
      <svg
        class="chart"
        viewBox={`0 0 ${columns * STEP} ${rows * STEP}`}
        width={columns * STEP}
        height={rows * STEP}
        role="img"
        aria-label={`Angles of ${name} in radians: ${Array.from({ length: shown }, (_, i) => angle(vector, i).toFixed(2)).join(', ')}`}
      >
        {Array.from({ length: shown }, (_, i) => (
          <g key={String(i)} transform={`translate(${(i % columns) * STEP} ${Math.floor(i / columns) * STEP})`}>
            <circle class="dial" cx={DIAL / 2} cy={DIAL / 2} r={DIAL / 2 - 3} />
            <line class="hand" x1={DIAL / 2} y1={DIAL / 2} {...hand(vector.before, i)} />
            <line class="hand after" x1={DIAL / 2} y1={DIAL / 2} {...hand(vector.after, i)} />
          </g>
        ))}
      </svg>
    </div>
  )
}

function angle({ cos, sin }: RotatedVector, i: number): number {
  return Math.atan2(sin[i] ?? 0, cos[i] ?? 1)
}
