/** The text, each token marked by how much the chosen one looks at it. */
import { level } from '../../drawing/attention-image.ts'
import { visible } from './matrix.tsx'

interface Props {
  tokens: readonly string[]
  row: Float32Array
  /** Later tokens cannot be seen. */
  causal: boolean
  /** The token that looks; undefined: it is of another text. */
  query: number | undefined
  choose: (token: number) => void
}

/** Words before and after the chosen one, where a text has more than can be read. */
const AROUND = 150

export function Words({ tokens, row, causal, query, choose }: Props) {
  const middle = query ?? row.indexOf(Math.max(...row))
  const from = Math.max(middle - AROUND, 0)
  const shown = tokens.slice(from, middle + AROUND)
  return (
    <fieldset
      class="words"
      aria-label={query === undefined ? 'Tokens that are looked at' : 'Tokens; choose the one that looks'}
    >
      {from > 0 && <span class="hint">… {from} tokens before</span>}
      {shown.map((token, n) => {
        const i = from + n
        const p = row[i] ?? 0
        const seen = !causal || query === undefined || i <= query
        return (
          <button
            key={i}
            type="button"
            class={i === query ? 'word query' : seen ? 'word' : 'word later'}
            style={{ '--share': `${Math.round((level(p) / 255) * 100)}%` }}
            aria-pressed={i === query}
            aria-label={`${visible(token)}${seen ? `, ${p.toFixed(2)}` : ''}`}
            title={seen ? p.toFixed(3) : 'comes later: it cannot be seen'}
            onClick={() => choose(i)}
          >
            {visible(token)}
          </button>
        )
      })}
    </fieldset>
  )
}
