/** What a latent keeps: how much smaller ranks lose of this text, and what the next tokens become with one. */
import type { Spectrum } from '../../../../src/browser.ts'
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import { Slider } from '../../drawing/slider.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useModel } from '../../state/model.ts'
import type { TextChange } from '../../state/readings.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useReading } from '../../state/use-reading.ts'
import { ModelBar } from '../model-bar.tsx'
import { AfterChoice } from '../next/after.tsx'
import { Before } from '../next/before.tsx'
import { PRESETS } from '../presets.ts'
import { Problem } from '../read-status.tsx'
import { ReadSides } from '../sides/read-sides.tsx'
import type { Side } from '../sides/side.ts'
import { TextField } from '../text-field.tsx'
import { LossByRank } from './loss-by-rank.tsx'
import { Written } from './written.tsx'

export function Latent() {
  const { params } = useAddress()
  const text = params.text ?? PRESETS.at(-1)!.text
  return (
    <>
      <header class="view-head">
        <h1>What a latent keeps</h1>
        <p>
          Keys and values of many heads say much the same, so few numbers can stand for them. How few? Cut what is
          cached of this text to its strongest directions (SVD), and see what is lost and what the model writes then.
        </p>
      </header>
      <ModelBar />
      <TextField text={text} />
      <ReadSides text={text}>{(reading, side) => <Ranks reading={reading} side={side} />}</ReadSides>
    </>
  )
}

function Ranks({ reading, side }: { reading: TextReading; side: Side }) {
  const { params } = useAddress()
  const model = useModel(side.slot)
  const generates = model.status === 'ready' && model.numbers.info.generates
  const latent = reading.layers.some(({ kind }) => kind === 'latent')
  const states = reading.layers.filter(({ heads }) => heads === 0).length
  const sharing = reading.layers.filter(({ keysOf }) => keysOf !== null).length
  const spectra = useAnswer(
    async signal => {
      const all: Spectrum[] = []
      for await (const one of reading.spectra({ signal })) all.push(one)
      return all
    },
    [reading],
  )
  const most = Math.max(2, ...(spectra ?? []).map(({ singularValues }) => singularValues.length))
  const rank = Math.min(Math.max(Math.round(Number(params.rank ?? Math.ceil(most / 4))) || 0, 0), most)
  // Keys and values are stored apart where there is no latent.
  const cut: readonly TextChange[] = latent
    ? [{ kind: 'rank', of: 'latent', rank }]
    : (['keys', 'values'] as const).map(of => ({ kind: 'rank', of, rank }))
  // The rank is known when the spectra are.
  const changed = useReading(side.text, spectra === undefined ? [] : cut, side.slot)
  if (spectra === undefined) return null
  // Before the cut text is read, what is there is the text as it is, or one of another rank.
  const cutText = changed.busy || changed.reading === reading ? undefined : changed.reading
  const [one] = spectra
  return (
    <>
      <p class="hint">
        {latent
          ? `This model caches a latent of ${one?.width} numbers per token and layer.`
          : `This model has no latents: keys and values of all heads, ${one?.width} numbers per token and layer, are taken apart instead.`}{' '}
        A text of {reading.tokens.length} tokens has at most {most} directions.
        {states > 0 &&
          ` ${states} of its layers carry a state instead, of one size for any text: nothing of it is cut.`}
        {sharing > 0 &&
          ` ${sharing} of its layers read the keys and values of earlier ones: they read what is left there.`}
        {reading.source && ' The text is what the model writes of its source; what it keeps of the source is not cut.'}
      </p>
      <div class="controls">
        <Slider label="Rank" value={rank} min={0} max={most} step={1} choose={value => changeParams({ rank: value })} />
      </div>
      <LossByRank spectra={spectra} most={most} />
      <section id={`losses${side.suffix}`}>
        <Figure
          title={`What rank ${rank} loses`}
          file="latentkit-ranks"
          note="Of each layer, as a part of the whole (Frobenius norm). 0 is nothing, 1 all."
        >
          <Bars
            label={`Loss at rank ${rank}`}
            bars={spectra.map(({ layer, errors }) => ({
              kind: 'mla',
              label: `layer ${layer}`,
              value: errors[Math.min(rank, errors.length - 1)] ?? 0,
              text: (errors[Math.min(rank, errors.length - 1)] ?? 0).toFixed(4),
              strong: false,
            }))}
            most={1}
          />
        </Figure>
      </section>
      <section>
        <h2>The next token then</h2>
        {model.status === 'ready' && !generates && (
          <p class="hint">{model.numbers.info.name} is an encoder: no token comes next.</p>
        )}
        <AfterChoice reading={reading} />
        {generates && changed.reading && changed.reading !== reading && (
          <Before reading={reading} changed={changed.reading} />
        )}
      </section>
      {changed.problem !== undefined && <Problem text={changed.problem} />}
      {generates && reading.source === null && changed.problem === undefined && (
        <Written reading={reading} changed={cutText} rank={rank} suffix={side.suffix} />
      )}
    </>
  )
}
