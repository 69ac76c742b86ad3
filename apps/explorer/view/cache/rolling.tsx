/** A rolling window: layers that keep the last tokens only. */
import { type PlanModel, plan } from '../../../../src/planning/index.ts'
import { Figure } from '../../drawing/figure.tsx'
import { bytes, whole } from '../../drawing/format.ts'
import { Slider } from '../../drawing/slider.tsx'
import { StepsChart } from '../../drawing/steps-chart.tsx'
import type { GrowthStep } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { chosen } from '../number-choice.tsx'
import { visible } from '../patterns/matrix.tsx'
import { windowed } from './work.ts'

interface Props {
  /** Ends ids. */
  suffix: string
  steps: readonly GrowthStep[]
  model: PlanModel
  cacheType: string
}

const WINDOW = 32
const MAX_WINDOW = 256

export function Rolling({ steps, model, cacheType, suffix }: Props) {
  const { params } = useAddress()
  const window = Math.max(chosen(params.window, WINDOW, MAX_WINDOW + 1), 1)
  const texts = steps.flatMap(one => one.texts)
  const rolling = windowed(model, window)
  const planned = (which: PlanModel) =>
    steps.map(({ cache: { tokens } }) => [tokens, plan(which, { cacheType, context: tokens }).cache.bytes] as const)
  const kept = planned(rolling)
  const last = kept.at(-1)?.[1] ?? 0
  const own = [...new Set(model.layers.flatMap(layer => (layer.window === null ? [] : [layer.window])))]
  const states = model.layers.reduce((n, { attention, count }) => (attention.kind === 'state' ? n + count : n), 0)
  const from = Math.max(texts.length - window, 0)
  return (
    <section>
      <h2>A rolling window</h2>
      <p class="hint">
        {states > 0 && `${states} of its layers carry a state of one size for any text. `}
        {own.length > 0
          ? `This model has layers that see the last ${own.map(whole).join(' or ')} tokens only; the engine frees the blocks that such a window has passed.`
          : `This model keeps all tokens in ${states > 0 ? 'every other layer' : 'every layer'}. Had its layers a window, the cache would stop growing there.`}{' '}
        With {whole(window)} tokens it would be <strong id={`rolling${suffix}`}>{bytes(last)}</strong>, counted, not
        measured. What a window has passed can no longer be looked at.
      </p>
      <div class="controls">
        <Slider
          label="Window"
          value={window}
          min={1}
          max={MAX_WINDOW}
          step={1}
          choose={window => changeParams({ window })}
        />
      </div>
      <Figure title="Bytes with a window" file="latentkit-cache-window">
        <StepsChart
          label={`Bytes of the cache with a window of ${window} tokens: ${bytes(last)} at the end`}
          formatX={whole}
          formatY={bytes}
          series={[
            { kind: 'mla', label: own.length > 0 ? 'as it is' : 'all tokens', points: planned(model) },
            { kind: 'mqa', label: 'with a window', points: kept },
          ]}
        />
      </Figure>
      <Figure title="What the last token still sees" file="latentkit-window" picture={false}>
        <p class="window">
          {texts.map((text, i) => (
            <span key={String(i)} class={i < from ? 'passed' : 'seen'}>
              {visible(text)}{' '}
            </span>
          ))}
        </p>
      </Figure>
    </section>
  )
}
