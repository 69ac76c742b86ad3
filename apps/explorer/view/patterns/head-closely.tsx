/** One head: its pattern, what one token looks at, and that as arcs. */
import { useState } from 'preact/hooks'
import { Figure } from '../../drawing/figure.tsx'
import { changeParams, useAddress } from '../../state/address.ts'
import { chosen, TokenChoice } from '../number-choice.tsx'
import type { Side } from '../sides/side.ts'
import { Arcs } from './arcs.tsx'
import type { Attending } from './attending.ts'
import { Matrix, visible } from './matrix.tsx'
import { useOneHead, useRow } from './one-head.ts'
import { Words } from './words.tsx'

/** More words than this make no picture. */
const MOST_ARCS = 60

interface Props {
  reading: Attending
  side: Side
  layer: number
  head: number
  /** The token that looks, unless the address has one. Default: the last. */
  usual: number | undefined
}

export function HeadClosely({ reading, side, layer, head, usual }: Props) {
  const { params } = useAddress()
  const [hovered, setHovered] = useState<{ key: number; query: number }>()
  const one = useOneHead(reading, layer, head)
  const itself = reading.direction !== 'cross'
  const last = reading.tokens.length - 1
  const query = chosen(params[side.query], (side.suffix === '' ? usual : undefined) ?? last, reading.tokens.length)
  const row = useRow(one, query)
  // The pattern of another head or text is on its way.
  if (one?.reading !== reading || row === undefined) return <section aria-busy="true" />
  const names = reading.tokens.map(({ text }) => text)
  const keyNames = reading.keys.map(({ text }) => text)
  const key = hovered?.query === query ? Math.min(hovered.key, keyNames.length - 1) : strongest(row)
  const choose = (at: number, key: number) => {
    setHovered({ key, query: at })
    if (at !== query) changeParams({ [side.query]: String(at) })
  }
  const p = row[key] ?? 0
  const [from = '', to = ''] = [names[query], keyNames[key]].map(name => visible(name ?? ''))
  return (
    <>
      <section aria-labelledby={`closely${side.suffix}`}>
        <h2 id={`closely${side.suffix}`}>
          Layer {one.layer}, head {one.head}
        </h2>
        <p class="pair-line" role="status">
          “<strong>{from}</strong>” looks at “<strong>{to}</strong>” with{' '}
          <span id={`share${side.suffix}`}>{p.toFixed(3)}</span> of its attention
        </p>
        <Figure title="Query by key" file={`latentkit-pattern-${one.layer}-${one.head}`}>
          <Matrix
            pixels={one.pixels}
            tokens={names}
            keyTokens={keyNames}
            causal={reading.causal}
            query={query}
            keyAt={key}
            choose={choose}
            spoken={`“${from}” looks at “${to}”: ${p.toFixed(3)}`}
          />
        </Figure>
        <Figure title={`What “${from}” looks at`} file={`latentkit-words-${one.layer}-${one.head}`} picture={false}>
          {!itself && (
            <div class="controls">
              <TokenChoice
                label="The token that looks"
                value={query}
                tokens={names.map(visible)}
                choose={at => changeParams({ [side.query]: at })}
              />
            </div>
          )}
          <Words
            tokens={keyNames}
            row={row}
            causal={reading.causal}
            query={itself ? query : undefined}
            choose={at => (itself ? changeParams({ [side.query]: String(at) }) : setHovered({ key: at, query }))}
          />
        </Figure>
      </section>
      {itself && names.length <= MOST_ARCS && (
        <Figure
          title="As arcs over the words"
          file={`latentkit-arcs-${one.layer}-${one.head}`}
          note="Thick arcs are the chosen token’s; thin ones are of the others, where they look at one token with a fifth or more."
        >
          <Arcs tokens={names} row={row} causal={reading.causal} query={query} whole={one.whole} />
        </Figure>
      )}
    </>
  )
}

function strongest(row: Float32Array): number {
  return row.reduce((best, p, i) => (p > (row[best] ?? 0) ? i : best), 0)
}
