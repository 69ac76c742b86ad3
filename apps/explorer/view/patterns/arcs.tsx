/** One row of a pattern as arcs over the words: from the query back to what it looks at. */
import { level } from '../../drawing/attention-image.ts'
import { shortened } from '../../drawing/format.ts'
import { ScrollBox } from '../../drawing/scroll-box.tsx'
import { visible } from './matrix.tsx'

interface Props {
  tokens: readonly string[]
  row: Float32Array
  /** Later tokens cannot be seen. */
  causal: boolean
  query: number
  /** All rows, for faint arcs of the other queries. */
  whole: Float32Array | undefined
}

const GAP = 14
const LETTER = 8
/** Arcs of less are left out. */
const LEAST = 0.02
const MIN_FAINT = 0.2

export function Arcs({ tokens, row, causal, query, whole }: Props) {
  const names = tokens.map(token => shortened(visible(token)))
  const widths = names.map(name => name.length * LETTER + GAP)
  const starts = widths.map((_, i) => widths.slice(0, i).reduce((sum, one) => sum + one, 8))
  const middle = (i: number) => (starts[i] ?? 0) + ((widths[i] ?? 0) - GAP) / 2
  const width = (starts.at(-1) ?? 0) + (widths.at(-1) ?? 0)
  const rise = Math.min(30 + width / 6, 170)
  const height = rise + 34
  const base = height - 30
  const arc = (from: number, to: number) => {
    const [a, b] = [middle(from), middle(to)]
    const lift = from === to ? 22 : Math.min(18 + Math.abs(a - b) * 0.32, rise)
    const spread = from === to ? 16 : 0
    return `M ${a + spread / 2} ${base} C ${a + spread} ${base - lift * 1.3}, ${b - spread} ${base - lift * 1.3}, ${b - spread / 2} ${base}`
  }
  const faint = whole ? faintArcs(whole, tokens.length, causal) : []
  return (
    <ScrollBox label="Arcs over the words" seen={middle(query)}>
      <svg class="chart arcs" width={width} height={height} role="img" aria-label={spoken(names, row, query)}>
        {faint.map(([from, to, p]) => (
          <path key={`${from}-${to}`} class="faint" d={arc(from, to)} stroke-width={p * 3} />
        ))}
        {[...(causal ? row.slice(0, query + 1) : row)].map(
          (p, key) =>
            p >= LEAST && (
              <path
                key={key}
                class="arc"
                d={arc(query, key)}
                stroke-width={1 + p * 9}
                opacity={0.25 + (level(p) / 255) * 0.75}
              />
            ),
        )}
        {names.map((name, i) => (
          <text key={i} class={i === query ? 'middle strong' : 'middle'} x={middle(i)} y={height - 10}>
            {name}
          </text>
        ))}
      </svg>
    </ScrollBox>
  )
}

function faintArcs(whole: Float32Array, count: number, causal: boolean): (readonly [number, number, number])[] {
  const arcs: (readonly [number, number, number])[] = []
  for (let from = 0; from < count; from++)
    for (let to = 0; to < (causal ? from : count); to++) {
      const p = whole[from * count + to] as number
      if (to !== from && p >= MIN_FAINT) arcs.push([from, to, p])
    }
  return arcs
}

function spoken(names: readonly string[], row: Float32Array, query: number): string {
  const most = [...row].map((p, i) => ({ p, i })).sort((a, b) => b.p - a.p)
  const parts = most.slice(0, 5).map(({ p, i }) => `${names[i]} ${p.toFixed(2)}`)
  return `“${names[query]}” looks at ${parts.join(', ')}`
}
