/** One head: its pattern, what one token looks at, and that as arcs. */
import { useState } from 'preact/hooks'
import { Figure } from '../../drawing/figure.tsx'
import { changeParams, hashOf, lasting, type Params, useAddress } from '../../state/address.ts'
import { chosen, TokenChoice } from '../number-choice.tsx'
import type { Side } from '../sides/side.ts'
import { Arcs } from './arcs.tsx'
import type { Attending } from './attending.ts'
import { Matrix, type Pair, visible } from './matrix.tsx'
import { type OneHead, useOneHead, useRow } from './one-head.ts'
import { Words } from './words.tsx'

/** More words than this make no picture. */
const MAX_ARCS = 60

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
  const [hovered, setHovered] = useState<Pair>()
  const one = useOneHead(reading, layer, head)
  const itself = reading.direction !== 'cross'
  const last = reading.tokens.length - 1
  const at = chosen(params[side.query], (side.suffix === '' ? usual : undefined) ?? last, reading.tokens.length)
  const query = Math.min(hovered?.query ?? at, last)
  const row = useRow(one, query)
  // The pattern of another head or text is on its way.
  if (one?.reading !== reading || row === undefined) return <section aria-busy="true" />
  const names = reading.tokens.map(({ text }) => text)
  const keyNames = reading.keys.map(({ text }) => text)
  const named = params[side.key]
  const seen = reading.causal ? query + 1 : keyNames.length
  const key = hovered ? Math.min(hovered.key, seen - 1) : chosen(named, strongest(row), seen)
  const choose = ({ query, key }: Partial<Pair>) => {
    setHovered(undefined)
    changeParams({
      ...(query !== undefined && { [side.query]: String(query) }),
      [side.key]: key === undefined ? undefined : String(key),
    })
  }
  const p = row[key] ?? 0
  const [from = '', to = ''] = [names[query], keyNames[key]].map(name => visible(name ?? ''))
  return (
    <>
      <section aria-labelledby={`closely${side.suffix}`}>
        <h2 id={`closely${side.suffix}`}>
          Layer {one.layer}, head {one.head}
        </h2>
        <p class="pair-line">
          <span role="status">
            “<strong>{from}</strong>” looks at “<strong>{to}</strong>” with{' '}
            <span id={`share${side.suffix}`}>{p.toFixed(3)}</span> of its attention
          </span>{' '}
          {side.slot === 'main' && (
            <a class="onward" href={hashOfNumber({ ...params, text: side.text }, one, { query, key })}>
              How that number comes about
            </a>
          )}
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
            look={setHovered}
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
                choose={at => choose({ query: Number(at) })}
              />
            </div>
          )}
          <Words
            tokens={keyNames}
            row={row}
            causal={reading.causal}
            query={itself ? query : undefined}
            choose={at => choose(itself ? { query: at } : { key: at })}
          />
        </Figure>
      </section>
      {itself && names.length <= MAX_ARCS && (
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

/** The view that works the number of a pair. */
function hashOfNumber(params: Params, { layer, head }: OneHead, { query, key }: Pair): string {
  const place = Object.entries({ layer, head, query, key }).map(([name, value]) => [name, String(value)])
  return hashOf('number', {
    ...lasting(params),
    ...(params.of !== undefined && { of: params.of }),
    ...Object.fromEntries(place),
  })
}

function strongest(row: Float32Array): number {
  return row.reduce((best, p, i) => (p > (row[best] ?? 0) ? i : best), 0)
}
