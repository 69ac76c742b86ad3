/** The colours of patterns and the probabilities that they stand for. */
import { interpolateViridis } from 'd3-scale-chromatic'

const MARKS = [0, 0.05, 0.25, 0.5, 1]

/** `causal`: no token sees a later one. */
export function Legend({ causal }: { causal: boolean }) {
  return (
    <span class="legend">
      <span>share:</span>
      {MARKS.map(p => (
        <span key={p}>
          <span class="swatch" style={{ background: interpolateViridis(Math.sqrt(p)) }} /> {p}
        </span>
      ))}
      {causal && <span>empty: a later token, which cannot be seen</span>}
    </span>
  )
}
