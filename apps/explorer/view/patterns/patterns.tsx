/** The patterns: all heads at once, and one of them closely. */
import { Figure } from '../../drawing/figure.tsx'
import { whole } from '../../drawing/format.ts'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useReading } from '../../state/model.ts'
import { ModelBar } from '../model-bar.tsx'
import { PRESETS } from '../presets.ts'
import { WithReading } from '../read-status.tsx'
import { TextField } from '../text-field.tsx'
import { HeadClosely } from './head-closely.tsx'
import { type HeadPattern, MEASURES, type MeasureName, sorted, useHeads } from './heads.ts'
import { Legend } from './legend.tsx'
import { Scale } from './scale.tsx'
import { Thumbnails } from './thumbnails.tsx'

export function Patterns() {
  const { params } = useAddress()
  const text = params.text ?? PRESETS[0]!.text
  const read = useReading(text)
  return (
    <>
      <header class="view-head">
        <h1>Attention patterns</h1>
        <p>
          For every token a head decides how much it looks at each earlier one. A row is the token that looks, a column
          what it looks at; bright is much. Every layer has several heads, and each learned its own pattern.
        </p>
      </header>
      <ModelBar />
      <TextField text={text} />
      <WithReading read={read}>{reading => <AllHeads reading={reading} busy={read.busy} />}</WithReading>
      <Scale />
    </>
  )
}

function AllHeads({ reading, busy }: { reading: TextReading; busy: boolean }) {
  const { params } = useAddress()
  const { heads, done } = useHeads(reading)
  const by = params.sort !== undefined && params.sort in MEASURES ? (params.sort as MeasureName) : undefined
  const order = sorted(heads, by)
  const total = reading.layers.reduce((n, layer) => n + layer.heads, 0)
  const chosen = chosenHead(reading, params, order)
  const select = ({ layer, head }: HeadPattern) => changeParams({ layer: String(layer), head: String(head) })
  return (
    <div class="closely">
      <Figure
        title={`${whole(total)} patterns: ${reading.layers.length} layers of ${reading.layers[0]?.heads} heads`}
        file="latentkit-patterns"
        note={<Legend />}
      >
        <fieldset class="toolbar" aria-label="Order of the heads">
          <span class="hint">{done ? 'Order:' : `${whole(heads.length)} computed …`}</span>
          {[undefined, ...(Object.keys(MEASURES) as MeasureName[])].map(name => (
            <button
              key={name ?? 'layer'}
              type="button"
              class="chip"
              aria-pressed={name === by}
              title={name && `Heads first that each query ${MEASURES[name].about}`}
              onClick={() => changeParams({ sort: name, layer: undefined, head: undefined })}
            >
              {name ? MEASURES[name].label : 'layer'}
            </button>
          ))}
        </fieldset>
        <div aria-busy={busy || !done} id="all-heads">
          <Thumbnails
            heads={order}
            total={total}
            perLayer={reading.layers[0]?.heads ?? 1}
            tokens={reading.tokens.length}
            causal={reading.causal}
            by={by}
            selected={chosen}
            select={select}
          />
        </div>
      </Figure>
      {order.length > 0 && <HeadClosely reading={reading} {...chosen} />}
    </div>
  )
}

/** As the address has it; else the first of the order. */
function chosenHead(
  { layers }: TextReading,
  params: Readonly<Record<string, string>>,
  order: readonly HeadPattern[],
): { readonly layer: number; readonly head: number } {
  // The first page shows what its first text is there for.
  const first = params.text === undefined && params.sort === undefined ? PRESETS[0]!.at : undefined
  const layer = Number(params.layer ?? first?.layer ?? Number.NaN)
  const head = Number(params.head ?? first?.head ?? Number.NaN)
  if (head >= 0 && head < (layers[layer]?.heads ?? 0)) return { layer, head }
  return { layer: order[0]?.layer ?? 0, head: order[0]?.head ?? 0 }
}
