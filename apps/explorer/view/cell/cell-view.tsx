/** One number, worked: how much one token looks at another, from the vectors to the share, by every path the model has. */
import type { Cell, CellPath, ReadingLayer } from '../../../../src/browser.ts'
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import { whole } from '../../drawing/format.ts'
import { Maths, WithMatrices } from '../../drawing/maths.tsx'
import { SIGNS, Strip } from '../../drawing/strip.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useModel } from '../../state/model.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useReading } from '../../state/use-reading.ts'
import { LayerNotes } from '../layer-notes.tsx'
import { ModelBar } from '../model-bar.tsx'
import { chosen, NumberChoice, TokenChoice } from '../number-choice.tsx'
import { DirectionChoice, useAttending } from '../patterns/direction-choice.tsx'
import { visible } from '../patterns/matrix.tsx'
import { FIRST_TEXT, shownIn } from '../presets.ts'
import { WithReading } from '../read-status.tsx'
import { TextField } from '../text-field.tsx'
import { BEHIND, multiplications } from './cost.ts'
import { RopeApart } from './rope-apart.tsx'
import { Rotation } from './rotation.tsx'

const FIRST = { layer: 0, head: 0, query: undefined }
const NEIGHBOURS = 8

export function CellView() {
  const { params } = useAddress()
  const text = params.text ?? FIRST_TEXT
  const read = useReading(text)
  return (
    <>
      <header class="view-head">
        <h1>One number, worked</h1>
        <p>
          A query meets a key: their product, scaled and compared with all others, is the share of attention. With
          latents there are two ways to it, and both give the same number.
        </p>
      </header>
      <ModelBar />
      <TextField text={text} />
      <WithReading read={read}>{reading => <Worked reading={reading} text={text} />}</WithReading>
    </>
  )
}

function Worked({ reading: read, text }: { reading: TextReading; text: string }) {
  const { params } = useAddress()
  const model = useModel()
  const reading = useAttending(read)
  const usual = { ...FIRST, layer: reading.layers.find(({ heads }) => heads > 0)?.layer ?? 0 }
  const first = (model.status === 'ready' && shownIn(text, model.numbers.info.name)?.at) || usual
  const names = reading.tokens.map(({ text }) => visible(text))
  const keyNames = reading.keys.map(({ text }) => visible(text))
  const layer = chosen(params.layer, first.layer, reading.layers.length)
  const head = chosen(params.head, first.head, reading.layers[layer]?.heads || 1)
  const query = chosen(params.query, first.query ?? names.length - 1, names.length)
  const named = params.key === undefined ? undefined : chosen(params.key, 0, keyNames.length)
  const attends = (reading.layers[layer]?.heads ?? 0) > 0
  const worked = useAnswer(
    async signal => {
      if (!attends) return undefined
      const asked = { layer, head, query, neighbours: NEIGHBOURS, signal }
      // Of all keys the one that the query looks at most.
      const strongest = async () => (await reading.cell({ ...asked, key: 0 })).neighbours[0]?.position ?? 0
      const cell = await reading.cell({ ...asked, key: named ?? (await strongest()) })
      return { cell, names, keyNames, layer: reading.layers[layer] }
    },
    [reading, layer, head, query, named, attends],
  )
  const choose = (name: string) => (value: string) => changeParams({ [name]: value })
  return (
    <>
      <DirectionChoice reading={read} />
      <div class="controls">
        <NumberChoice label="Layer" value={layer} count={reading.layers.length} choose={choose('layer')} />
        <NumberChoice label="Head" value={head} count={reading.layers[layer]?.heads || 1} choose={choose('head')} />
        <TokenChoice label="Query: the token that looks" value={query} tokens={names} choose={choose('query')} />
        <TokenChoice
          label="Key: what it looks at"
          value={named ?? worked?.cell.key ?? 0}
          tokens={keyNames}
          choose={choose('key')}
        />
      </div>
      {reading.direction === 'cross' ? (
        <p class="hint">The key is of the source: its token has passed all layers of the encoder.</p>
      ) : (
        <LayerNotes reading={read.source && reading.direction === 'source' ? read.source : read} layer={layer} />
      )}
      {attends && worked && <Steps {...worked} />}
    </>
  )
}

interface StepsProps {
  cell: Cell
  names: readonly string[]
  keyNames: readonly string[]
  layer: ReadingLayer | undefined
}

function Steps({ cell, names, keyNames, layer }: StepsProps) {
  const [from = '', to = ''] = [names[cell.query], keyNames[cell.key]]
  const keysOf = layer?.keysOf ?? null
  if (!cell.seen)
    return (
      <p class="problem">
        “{to}” comes after “{from}”, or outside of its window
        {layer?.topK ? ', or is not among the tokens that it chose' : ''}: the mask sets the score to minus infinity,
        and the share is 0.
      </p>
    )
  const both = cell.paths.length > 1
  const [first, second] = cell.paths
  const expanded = cell.paths.find(({ path }) => path === 'expanded')
  return (
    <>
      <p class="pair-line" role="status">
        “<strong>{from}</strong>” looks at “<strong>{to}</strong>” with{' '}
        <span id="share">{cell.probability.toFixed(4)}</span> of its attention
      </p>
      <ol class="steps">
        <li id="kept">
          <h2>What is kept of “{to}”</h2>
          <Figure title="From x to what is cached" file="latentkit-kept" note={SIGNS}>
            <Strip label="x, what enters the layer" values={cell.input} />
            {cell.latent && <Strip label="latent = W_DKV x" values={cell.latent.latent} />}
            {cell.latent && <Strip label="rope key, one for all heads" values={cell.latent.ropeKey} />}
          </Figure>
          {cell.latent ? (
            <p class="hint">
              Only these {cell.latent.latent.length} + {cell.latent.ropeKey.length} numbers are cached of the token in
              this layer, whatever the number of heads.
            </p>
          ) : (
            <p class="hint">
              {keysOf === null
                ? 'Key and value of this head are cached as they are: this layer has no latent.'
                : `This layer caches nothing. It reads the key and value of layer ${keysOf}, and x is what enters that layer.`}
            </p>
          )}
        </li>
        <li id="product">
          <h2>{both ? 'The same product, by both paths' : 'The product'}</h2>
          <div class="paths">
            {cell.paths.map(path => (
              <Path key={path.path} path={path} scale={cell.scale} width={layer?.keySize ?? 1} bias={cell.bias} />
            ))}
          </div>
          {first && second && (
            <p class="difference">
              Difference of the two scores:{' '}
              <span id="difference">{Math.abs(first.worked - second.worked).toExponential(1)}</span>
              <span class="hint"> — the last bits of rounding</span>
            </p>
          )}
          {both && layer && <Costs layer={layer} />}
          {!both && (
            <p class="hint">
              This layer caches keys as they are, so there is one path to the number. With a latent there are two, and
              both give the same: see it in the bundled model.
            </p>
          )}
        </li>
        <li id="rope">
          <h2>What rope did</h2>
          {cell.rotation ? (
            <>
              <Rotation rotation={cell.rotation} from={from} to={to} />
              {expanded && <RopeApart cell={cell} rotation={cell.rotation} path={expanded} />}
            </>
          ) : (
            <p class="hint">
              Nothing: this layer does not rotate its queries and keys. What it knows of positions came with the
              embeddings, or it knows nothing of them.
            </p>
          )}
        </li>
        <li id="softmax">
          <h2>Softmax: the share among all keys</h2>
          <Maths source="p_j = \frac{e^{s_j}}{\sum_k e^{s_k}}" display />
          <Figure title={`What “${from}” looks at most`} file="latentkit-softmax">
            <Bars
              label="Shares of attention"
              bars={cell.neighbours.map(({ position, score, probability }) => ({
                kind: position === cell.key ? 'mla' : 'mqa',
                label: keyNames[position] ?? '',
                value: probability,
                text: `${probability.toFixed(4)}  (score ${score.toFixed(2)})`,
                strong: position === cell.key,
              }))}
            />
          </Figure>
        </li>
        <li>
          <h2>What it brings</h2>
          <Figure title="From the value to the stream" file="latentkit-value">
            <Strip label={`value of “${to}”`} values={cell.value} />
            <Strip label={`value × ${cell.probability.toFixed(4)}`} values={cell.weighted} />
            <Strip label="output of the head, over all keys" values={cell.output} />
            {cell.gate && <Strip label="gate of the head: what its output is multiplied by" values={cell.gate} />}
            <Strip label="what this key adds to the stream, by W_O" values={cell.contribution} />
          </Figure>
        </li>
      </ol>
    </>
  )
}

const TITLES = {
  grouped: { title: 'As cached', about: 'The query meets the key of its head.' },
  expanded: {
    title: 'Expanded',
    about: 'The key is computed from the latent first, by W_UK. Cheaper for a long prompt.',
  },
  absorbed: {
    title: 'Absorbed',
    about: 'W_UK goes into the query instead; it meets the latent as it is cached. Cheaper while writing.',
  },
} as const

/** What one more token takes by each path. */
function Costs({ layer }: { layer: ReadingLayer }) {
  const [absorbed, expanded] = (['absorbed', 'expanded'] as const).map(path => (
    <strong data-cost={path}>{whole(multiplications(layer, path, BEHIND))}</strong>
  ))
  return (
    <p id="costs" class="costs">
      One more token behind {whole(BEHIND)} cached ones takes {absorbed} multiplications in this layer absorbed, and{' '}
      {expanded} expanded.
    </p>
  )
}

function Path({ path, scale, width, bias }: { path: CellPath; scale: number; width: number; bias: number }) {
  const { title, about } = TITLES[path.path]
  const plain = path.rope[1] - path.rope[0] < path.key.length
  return (
    <section class="path" data-path={path.path}>
      <h3>{title}</h3>
      <p class="hint">
        <WithMatrices text={about} />
      </p>
      <Figure title="Query and key" file={`latentkit-${path.path}`}>
        <Strip label="query" values={path.query} rope={path.rope} />
        <Strip label="key" values={path.key} rope={path.rope} />
      </Figure>
      <dl>
        {plain && <Line term="q · k without positions" value={path.plainDot} />}
        {path.rope[1] > path.rope[0] && <Line term="q · k of the rope part" value={path.ropeDot} />}
        <Line term="q · k" value={path.dot} />
        <Line
          term={
            scale === 1
              ? 'as it is: this model scales nothing'
              : `× ${scale.toPrecision(4)}, ${Math.abs(scale * Math.sqrt(width) - 1) < 1e-4 ? 'one over the root of the width' : "the model's own factor"}`
          }
          value={path.worked - bias}
          strong={bias === 0}
        />
        {bias !== 0 && <Line term="+ what the distance of the two adds" value={bias} />}
        {bias !== 0 && <Line term="score" value={path.worked} strong />}
        <Line term="the same, as the engine computes it" value={path.score} />
      </dl>
    </section>
  )
}

function Line({ term, value, strong = false }: { term: string; value: number; strong?: boolean }) {
  return (
    <div class={strong ? 'strong' : ''}>
      <dt>{term}</dt>
      <dd class="number">{value.toFixed(5)}</dd>
    </div>
  )
}
