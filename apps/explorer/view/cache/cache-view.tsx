/** The cache as it grows: what each step computes with one and without, what it takes, and what other attention would keep. */
import { useMemo } from 'preact/hooks'
import { type PlanModel, planModelFromJson } from '../../../../src/planning/index.ts'
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import { bytes, digits, whole } from '../../drawing/format.ts'
import { Slider } from '../../drawing/slider.tsx'
import { StepsChart } from '../../drawing/steps-chart.tsx'
import type { GrowthStep, Numbers } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { ModelBar } from '../model-bar.tsx'
import { chosen } from '../number-choice.tsx'
import { Problem, WithNumbers } from '../read-status.tsx'
import type { Side } from '../sides/side.ts'
import { Sides } from '../sides/sides.tsx'
import { TextField } from '../text-field.tsx'
import { Computed } from './computed.tsx'
import { useGrowth } from './growth.ts'
import { Rolling } from './rolling.tsx'
import { costsOf, sameSizes } from './work.ts'

const TEXT = 'Once upon a time there was a king who had a daughter.'
const STEPS = 80
const MAX_STEPS = 240

export function CacheView() {
  const { params } = useAddress()
  const text = params.text ?? TEXT
  return (
    <>
      <header class="view-head">
        <h1>The cache growing</h1>
        <p>
          A model writes one token after the other, and each looks at all before it. Without a cache it computes the
          whole text again for every token; with one it keeps what attention needs of each token, and computes one. The
          price is memory, which grows with the text.
        </p>
      </header>
      <ModelBar />
      <TextField text={text} />
      <Sides text={text}>{side => <OneSide side={side} />}</Sides>
    </>
  )
}

function OneSide({ side }: { side: Side }) {
  return (
    <WithNumbers slot={side.slot}>
      {numbers =>
        numbers.info.generates ? (
          <Growing key={numbers.info.name} numbers={numbers} side={side} />
        ) : (
          <Problem
            text={`${numbers.info.name} is an encoder: it reads a text at once and writes none, so it keeps no cache.`}
          />
        )
      }
    </WithNumbers>
  )
}

function Growing({ numbers, side: { text, suffix } }: { numbers: Numbers; side: Side }) {
  const { params } = useAddress()
  const count = Math.max(chosen(params.steps, STEPS, MAX_STEPS + 1), 2)
  const { steps, done } = useGrowth(numbers, text, count)
  const model = useAnswer(async () => planModelFromJson(await numbers.config()), [numbers])
  const last = steps.at(-1)
  if (last === undefined || model === undefined) return <p class="hint waiting">The text is read …</p>
  return (
    <>
      <div class="controls">
        <Slider
          label="Steps"
          value={count}
          min={2}
          max={MAX_STEPS}
          step={1}
          choose={steps => changeParams({ steps })}
        />
      </div>
      <p class="written" aria-busy={!done} id={`written${suffix}`}>
        <span class="hint">{textOf(steps.slice(0, 1))}</span>
        {textOf(steps.slice(1))}
      </p>
      <Work steps={steps} count={count} model={model} suffix={suffix} />
      <Memory steps={steps} model={model} cacheType={numbers.info.cacheType} suffix={suffix} />
      <Rolling steps={steps} model={model} cacheType={numbers.info.cacheType} suffix={suffix} />
    </>
  )
}

function textOf(steps: readonly GrowthStep[]): string {
  return steps.flatMap(({ texts }) => texts).join('')
}

interface Grown {
  /** Ends ids. */
  suffix: string
  steps: readonly GrowthStep[]
  model: PlanModel
}

function Work({ steps, count, model, suffix }: Grown & { count: number }) {
  const lengths = steps.map(({ cache }) => cache.tokens)
  const costs = useMemo(() => costsOf(model, lengths), [model, steps])
  const most = (lengths[0] ?? 0) + count - 1
  const sum = (which: 'with' | 'without') => costs.reduce((n, cost) => n + cost[which], 0)
  const points = (which: 'with' | 'without') => costs.map((cost, i) => [lengths[i] ?? 0, cost[which]] as const)
  return (
    <section id={`work${suffix}`}>
      <h2>Work</h2>
      <p class="hint">
        {steps.length} steps: <strong id={`work-without${suffix}`}>{digits(sum('without') / 1e9)}</strong> GFLOP without
        a cache, <strong id={`work-with${suffix}`}>{digits(sum('with') / 1e9)}</strong> with one,{' '}
        <strong>{digits(sum('without') / (sum('with') || 1))} times</strong> less. Counted by the planner: all products
        with weights, and attention. The longer the text, the larger the factor.
      </p>
      <div class="pair">
        <Figure title="Without a cache" file="latentkit-without-cache">
          <Computed lengths={lengths} most={most} cached={false} />
        </Figure>
        <Figure title="With a cache" file="latentkit-with-cache">
          <Computed lengths={lengths} most={most} cached />
        </Figure>
      </div>
      <Figure
        title="Work of each step"
        file="latentkit-work"
        note="GFLOP over the tokens of the text. The first step reads the prompt, with a cache, too."
      >
        <StepsChart
          label={`Work of each step: without a cache up to ${digits((costs.at(-1)?.without ?? 0) / 1e9)} GFLOP, with one ${digits((costs.at(-1)?.with ?? 0) / 1e9)}`}
          formatX={whole}
          formatY={y => digits(y / 1e9)}
          series={[
            { kind: 'mha', label: 'without', points: points('without') },
            { kind: 'mla', label: 'with a cache', points: points('with') },
          ]}
        />
      </Figure>
    </section>
  )
}

function Memory({ steps, model, cacheType, suffix }: Grown & { cacheType: string }) {
  const last = steps.at(-1)!.cache
  const points = (which: 'bytes' | 'usedBytes') => steps.map(({ cache }) => [cache.tokens, cache[which]] as const)
  const sizes = sameSizes(model, cacheType, last.tokens)
  const own = sizes.find(one => one.own)
  return (
    <section>
      <h2>Memory</h2>
      <p class="hint">
        Behind {whole(last.tokens)} tokens the engine holds <strong id={`held${suffix}`}>{bytes(last.bytes)}</strong> of
        blocks, in which <strong id={`used${suffix}`}>{bytes(last.usedBytes)}</strong> are used ({cacheType}). It takes
        whole blocks, so that nothing has to be moved when a text grows.
      </p>
      <div class="pair">
        <Figure
          title="Bytes as they are allocated"
          file="latentkit-cache-growing"
          note="Over the tokens of the text, as the engine counts them."
        >
          <StepsChart
            label={`Bytes of the cache: ${bytes(last.bytes)} held, ${bytes(last.usedBytes)} used behind ${last.tokens} tokens`}
            formatX={whole}
            formatY={bytes}
            series={[
              { kind: 'mqa', label: 'blocks held', points: points('bytes'), steps: true },
              { kind: 'mla', label: 'rows used', points: points('usedBytes') },
            ]}
          />
        </Figure>
        <Figure
          title="The same heads with other attention"
          file="latentkit-cache-same-sizes"
          note={`Of these ${whole(last.tokens)} tokens, as planned. ${own?.kind === 'mla' ? 'The model’s own is MLA.' : 'MLA in DeepSeek’s proportions: a latent as wide as four heads, a rope key of half of one.'}`}
        >
          <Bars
            label={`Cache of ${last.tokens} tokens`}
            bars={sizes.map(one => ({
              kind: one.kind,
              label: one.label,
              value: one.bytes,
              text: bytes(one.bytes),
              strong: one.own,
            }))}
          />
        </Figure>
      </div>
    </section>
  )
}
