/** Which tokens each step computes: a row for each step, a column for each token. */
import { kindColour } from '../../drawing/colours.ts'
import { useWidth } from '../../drawing/use-width.ts'

interface Props {
  /** Tokens of the text behind each step. */
  lengths: readonly number[]
  /** How many tokens the last steps could have: the picture keeps its size while they come. */
  most: number
  cached: boolean
}

const ROW = 5
const LABEL = 20

export function Computed({ lengths, most, cached }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>()
  const [prompt = 0] = lengths
  const column = width / Math.max(most, 1)
  const rows = most - prompt + 1
  const height = Math.max(rows, 1) * ROW
  const tokens = lengths.reduce((n, length, i) => n + (cached && i > 0 ? 1 : length), 0)
  return (
    <div ref={ref}>
      <svg
        class="chart computed"
        width={width}
        height={height + LABEL}
        role="img"
        aria-label={`${tokens} tokens computed in ${lengths.length} steps`}
        style={{ color: kindColour(cached ? 'mla' : 'mha') }}
      >
        <rect class="frame" width={width} height={height} />
        {lengths.map((length, i) => {
          const from = cached && i > 0 ? (lengths[i - 1] ?? 0) : 0
          return (
            <g key={length}>
              {from > 0 && <rect class="kept" y={i * ROW} width={from * column} height={ROW - 1} />}
              <rect
                class="bar"
                x={from * column}
                y={i * ROW}
                width={Math.max((length - from) * column, 1)}
                height={ROW - 1}
              />
            </g>
          )
        })}
        <text class="tick" y={height + 15}>
          {cached ? 'computed; pale: read from the cache' : 'computed again in every step'}
        </text>
      </svg>
    </div>
  )
}
