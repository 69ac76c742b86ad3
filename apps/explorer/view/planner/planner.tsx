/** The planner: what a model's cache takes, with its own attention and with others, and which cards hold it. */
import { useMemo } from 'preact/hooks'
import { machineNamed, type PlanModel, plan, planModelFromJson } from '../../../../src/planning/index.ts'
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import { bytes, digits, whole } from '../../drawing/format.ts'
import { LineChart } from '../../drawing/line-chart.tsx'
import { Maths } from '../../drawing/maths.tsx'
import { ScrollBox } from '../../drawing/scroll-box.tsx'
import type { Numbers } from '../../numbers/numbers.ts'
import { useAddress } from '../../state/address.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { ModelBar } from '../model-bar.tsx'
import { WithNumbers } from '../read-status.tsx'
import { Cards } from './cards.tsx'
import { curvesOf, othersOf, ownKind, variantsOf } from './comparison.ts'
import { Controls } from './controls.tsx'
import { formulaOf } from './formula.ts'
import { DEFAULTS, LOADED, type PlannerSettings, settingsOf } from './settings.ts'

export function Planner() {
  const { params } = useAddress()
  return (
    <>
      <header class="view-head">
        <h1>What a cache costs</h1>
        <p>
          A model keeps keys and values of every token it has read. With many heads that can be more memory than the
          weights; a latent keeps the same in a fraction. Move the sliders, for any published model, the one that is
          open here, or your own config.json: paste it, or drop it on this page.
        </p>
      </header>
      {params.model === LOADED && params.config === undefined ? <OfLoaded /> : <Planned loaded={undefined} />}
    </>
  )
}

/** The planner of the model that is open in the other views. */
function OfLoaded() {
  return (
    <>
      <ModelBar />
      <WithNumbers>{numbers => <PlannedFor numbers={numbers} />}</WithNumbers>
    </>
  )
}

function PlannedFor({ numbers }: { numbers: Numbers }) {
  const loaded = useAnswer(async () => {
    return { ...planModelFromJson(await numbers.config()), name: numbers.info.name }
  }, [numbers])
  return loaded === undefined ? null : <Planned loaded={loaded} />
}

function Planned({ loaded }: { loaded: PlanModel | undefined }) {
  const { params } = useAddress()
  const { settings, problem } = useMemo(() => read(params, loaded), [params, loaded])
  return (
    <>
      <Controls
        config={params.config}
        model={params.model ?? DEFAULTS.model}
        context={settings?.context ?? DEFAULTS.context}
        batch={settings?.batch ?? DEFAULTS.batch}
        cacheType={params.type ?? DEFAULTS.cacheType}
        weights={params.weights}
        problem={problem}
      />
      {problem !== undefined && params.config !== '{}' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {settings && <Result settings={settings} />}
    </>
  )
}

/** A type that the model's rows cannot have, or a config that is none, is a sentence for the user. */
function read(
  params: Readonly<Record<string, string>>,
  loaded: PlanModel | undefined,
): { settings?: PlannerSettings; problem?: string } {
  try {
    const settings = settingsOf(params, loaded)
    plan(settings.model, planOptions(settings))
    return { settings }
  } catch (cause) {
    return { problem: (cause as Error).message }
  }
}

function planOptions({ context, batch, cacheType, weights }: PlannerSettings) {
  return { context, batch, cacheType, ...(weights !== undefined && { weights }) }
}

function Result({ settings }: { settings: PlannerSettings }) {
  const { model, context, batch } = settings
  const compare = useMemo(() => othersOf(settings), [settings])
  const own = ownKind(model)
  const p = plan(model, { ...planOptions(settings), compare })
  const variants = variantsOf(p, own)
  const curves = useMemo(() => curvesOf(settings, own, compare), [settings, own, compare])
  const mha = p.compare.find(one => one.title === 'MHA')
  const formula = formulaOf(p)
  const table = useMemo(
    () => curves.map(curve => ({ ...curve, points: curve.points.filter((_, i) => i % 2 === 0) })),
    [curves],
  )
  return (
    <>
      <section class="hero" aria-live="polite">
        {mha && mha.ratio > 1.05 ? (
          <>
            <p class="factor">
              <strong id="factor">{digits(mha.ratio)}×</strong> less
            </p>
            <p class="from-to">
              <span id="mha-bytes">{bytes(mha.bytes)}</span>
              <span class="hidden"> becomes </span>
              <span class="arrow" aria-hidden="true">
                →
              </span>
              <strong id="own-bytes">{bytes(p.cache.bytes)}</strong>
            </p>
            <p class="hint">
              {model.name} with a key and a value for each of its heads, and as it is: {bytes(p.cache.bytesPerToken)}{' '}
              per token.
            </p>
          </>
        ) : (
          <>
            <p class="from-to">
              <strong id="own-bytes">{bytes(p.cache.bytes)}</strong>
            </p>
            <p class="hint">
              The cache of {model.name}: {bytes(p.cache.bytesPerToken)} per token.{' '}
              {own === 'mha'
                ? 'It has a key and a value for each head, so nothing is saved.'
                : 'With a key and a value for each head it would take no more.'}
            </p>
          </>
        )}
        {formula && (
          <ScrollBox label="How it is computed">
            <Maths source={`${formula} = ${bytes(p.cache.bytes).replace(' ', '\\,\\text{')}}`} display />
          </ScrollBox>
        )}
      </section>
      {p.unknown.length > 0 && (
        <ul class="problem">
          {p.unknown.map(({ field, reason }) => (
            <li key={field}>
              <code>{field}</code>: {reason}
            </li>
          ))}
        </ul>
      )}
      <div class="pair" id="variants">
        <Figure
          title={`Cache at ${whole(context)} tokens`}
          file="latentkit-cache"
          note="The same heads with other attention. Fewer heads for keys and values cost quality; a latent is learned so that it does not."
        >
          <Bars
            label={`Cache at ${whole(context)} tokens`}
            bars={variants.map(one => ({ ...one, value: one.bytes, text: bytes(one.bytes), strong: one.own }))}
          />
        </Figure>
        <Figure
          title="As the text grows"
          file="latentkit-cache-curves"
          note="Both axes are logarithmic: a step up is ten times the memory. The vertical line is where the slider is."
        >
          <LineChart
            series={curves}
            label={`Bytes of the cache of ${model.name} over the length of the text; the table below has the numbers`}
            at={{ x: Math.max(context, 1024), label: `${whole(context)} tokens` }}
            levels={[{ y: machineNamed('h100').memoryBytes ?? 0, label: 'one H100, 80 GB' }]}
            formatX={x => (x >= 2 ** 20 ? `${x / 2 ** 20}M` : `${Math.round(x / 1024)}K`)}
            formatY={bytes}
          />
        </Figure>
      </div>
      <details>
        <summary>The curves as a table</summary>
        <ScrollBox label="The curves as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">Tokens</th>
                {table.map(({ label }) => (
                  <th key={label} scope="col" class="number">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table[0]?.points.map(([tokens], i) => (
                <tr key={tokens}>
                  <th scope="row">{whole(tokens)}</th>
                  {table.map(({ label, points }) => (
                    <td key={label} class="number">
                      {bytes(points[i]?.[1] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      </details>
      <section>
        <h2>What fits which card</h2>
        <p class="hint">
          {model.name} has {bytes(p.weights.bytes)} of weights ({p.weights.dtype}); with{' '}
          {batch === 1 ? 'one user' : `${whole(batch)} users`} of {whole(context)} tokens,{' '}
          {bytes(p.weights.bytes + p.cache.bytes)} in all. Cards share heads and widths (tensor parallel)
          {own === 'mla' && '; the latent has no heads to share, so each keeps it whole'}. The model has{' '}
          {whole(p.attentionPatterns)} attention patterns.
        </p>
        <Cards settings={settings} />
      </section>
    </>
  )
}
