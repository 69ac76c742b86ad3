/** The patterns: all heads at once, and one of them closely. */
import { Figure } from '../../drawing/figure.tsx'
import { whole } from '../../drawing/format.ts'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useModel } from '../../state/model.ts'
import { LayerNotes } from '../layer-notes.tsx'
import { ModelBar } from '../model-bar.tsx'
import { FIRST_TEXT, type Place, shownIn } from '../presets.ts'
import { ReadSides } from '../sides/read-sides.tsx'
import type { Side } from '../sides/side.ts'
import { TextField } from '../text-field.tsx'
import type { Attending } from './attending.ts'
import { DirectionChoice, useAttending } from './direction-choice.tsx'
import { HeadClosely } from './head-closely.tsx'
import { HeadDifference } from './head-difference.tsx'
import { type HeadPattern, MEASURES, type MeasureName, sorted, useHeads } from './heads.ts'
import { Legend } from './legend.tsx'
import { Scale } from './scale.tsx'
import { Thumbnails } from './thumbnails.tsx'

export function Patterns() {
  const { params } = useAddress()
  const text = params.text ?? FIRST_TEXT
  const model = useModel()
  const place = model.status === 'ready' ? shownIn(text, model.numbers.info.name)?.at : undefined
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
      <ReadSides text={text} both={(first, second) => <HeadDifference first={first} second={second} place={place} />}>
        {(reading, side, { busy }) => <AllHeads reading={reading} side={side} busy={busy} place={place} />}
      </ReadSides>
      <Scale />
    </>
  )
}

/** What the address has of one head goes with it. */
const OF_ONE_HEAD = { layer: undefined, head: undefined, key: undefined, key2: undefined }

interface Props {
  reading: TextReading
  side: Side
  busy: boolean
  /** What the text is there for. */
  place: Place | undefined
}

function AllHeads({ reading: read, side, busy, place }: Props) {
  const { params } = useAddress()
  const reading = useAttending(read)
  const { heads, done } = useHeads(reading)
  const measured = reading.direction !== 'cross'
  const by = measured && params.sort !== undefined && params.sort in MEASURES ? (params.sort as MeasureName) : undefined
  const order = sorted(heads, by)
  const attending = reading.layers.filter(layer => layer.heads > 0)
  const total = attending.reduce((n, layer) => n + layer.heads, 0)
  const perLayer = Math.max(0, ...attending.map(layer => layer.heads))
  const others = reading.layers.length - attending.length
  const chosen = chosenHead(reading, params, order, place)
  const select = ({ layer, head }: HeadPattern) =>
    changeParams({ ...OF_ONE_HEAD, layer: String(layer), head: String(head) })
  return (
    <div class={side.label === undefined ? 'closely' : 'closely narrow'}>
      <Figure
        title={`${whole(total)} patterns: ${attending.length} layers of ${perLayer} heads${others > 0 ? `; ${others} other layers have none` : ''}`}
        file="latentkit-patterns"
        note={<Legend causal={reading.causal} />}
      >
        <LayerNotes reading={read.source && reading.direction === 'source' ? read.source : read} slot={side.slot} />
        <DirectionChoice reading={read} />
        {measured && (
          <fieldset class="toolbar" aria-label="Order of the heads">
            <span class="hint">{done ? 'Order:' : `${whole(heads.length)} computed …`}</span>
            {[undefined, ...(Object.keys(MEASURES) as MeasureName[])].map(name => (
              <button
                key={name ?? 'layer'}
                type="button"
                class="chip"
                aria-pressed={name === by}
                title={name && `Heads first that each query ${MEASURES[name].about}`}
                onClick={() => changeParams({ ...OF_ONE_HEAD, sort: name })}
              >
                {name ? MEASURES[name].label : 'layer'}
              </button>
            ))}
          </fieldset>
        )}
        <div aria-busy={busy || !done} id={`all-heads${side.suffix}`}>
          <Thumbnails
            heads={order}
            total={total}
            perLayer={perLayer}
            tokens={reading.tokens.length}
            causal={reading.causal}
            by={by}
            selected={chosen}
            suffix={side.suffix}
            select={select}
          />
        </div>
      </Figure>
      {order.length > 0 && <HeadClosely reading={reading} side={side} {...chosen} usual={place?.query} />}
    </div>
  )
}

/** As the address has it; else what the text is there for, or the first of the order. */
function chosenHead(
  { layers }: Attending,
  params: Readonly<Record<string, string>>,
  order: readonly HeadPattern[],
  shown: Place | undefined,
): { readonly layer: number; readonly head: number } {
  const usual = params.sort === undefined ? shown : undefined
  const layer = Number(params.layer ?? usual?.layer ?? Number.NaN)
  const head = Number(params.head ?? usual?.head ?? Number.NaN)
  if (head >= 0 && head < (layers[layer]?.heads ?? 0)) return { layer, head }
  return { layer: order[0]?.layer ?? 0, head: order[0]?.head ?? 0 }
}
