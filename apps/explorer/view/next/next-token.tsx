/** The next token: what the model expects, how drawing changes that, what each layer would say, and what a head is for. */
import type { NextTokens } from '../../../../src/browser.ts'
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import { ScrollBox } from '../../drawing/scroll-box.tsx'
import { Slider } from '../../drawing/slider.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { halves } from '../attention-notes.ts'
import { ModelBar } from '../model-bar.tsx'
import { visible } from '../patterns/matrix.tsx'
import { FIRST_TEXT } from '../presets.ts'
import { ReadSides } from '../sides/read-sides.tsx'
import type { Side } from '../sides/side.ts'
import { TextField } from '../text-field.tsx'
import { AfterChoice, useAfter } from './after.tsx'
import { type DrawingRule, drawn } from './drawing-rule.ts'
import { NextDifference } from './next-difference.tsx'
import { WhatIf } from './what-if.tsx'

const SHOWN = 12

export function NextToken() {
  const { params } = useAddress()
  const text = params.text ?? FIRST_TEXT
  return (
    <>
      <header class="view-head">
        <h1>The next token</h1>
        <p>
          After the last layer every token of the vocabulary has a score. The softmax makes probabilities of them;
          temperature, top-k and top-p change which ones can be drawn.
        </p>
      </header>
      <ModelBar />
      <TextField text={text} />
      <ReadSides text={text} both={(first, second) => <NextDifference first={first} second={second} />}>
        {(reading, side) => (
          <>
            <AfterChoice reading={reading} />
            <Expected reading={reading} side={side} />
            <Lens reading={reading} />
            <WhatIf reading={reading} side={side} />
          </>
        )}
      </ReadSides>
    </>
  )
}

function Expected({ reading, side }: { reading: TextReading; side: Side }) {
  const { params } = useAddress()
  const row = useAfter(reading)
  const next = useAnswer(signal => reading.next({ row, top: SHOWN, logits: true, signal }), [reading, row])
  const rule: DrawingRule = {
    temperature: Math.min(Math.max(Number(params.temperature ?? 1) || 1, 0.1), 2),
    topK: Math.min(Math.max(Math.round(Number(params.topk ?? 0)) || 0, 0), 50),
    topP: Math.min(Math.max(Number(params.topp ?? 1) || 1, 0.05), 1),
  }
  if (next?.logits === undefined) return null
  const after = drawn(next.logits, rule)
  const choose = (name: string) => (value: string) => changeParams({ [name]: value })
  const possible = after.reduce((n, p) => n + Number(p > 0), 0)
  return (
    <section id={`expected${side.suffix}`}>
      <div class="controls">
        <Slider
          label="Temperature"
          choose={choose('temperature')}
          value={rule.temperature}
          min={0.1}
          max={2}
          step={0.05}
        />
        <Slider label="Top-k (0: all)" choose={choose('topk')} value={rule.topK} min={0} max={50} step={1} />
        <Slider label="Top-p" choose={choose('topp')} value={rule.topP} min={0.05} max={1} step={0.01} />
      </div>
      <Figure
        title="The likeliest tokens"
        file="latentkit-next"
        note={`${possible.toLocaleString('en-GB')} of ${after.length.toLocaleString('en-GB')} tokens can be drawn. Entropy of what the model says, before any cut: ${next.entropy.toFixed(2)} bits, as if ${Math.round(2 ** next.entropy).toLocaleString('en-GB')} tokens were equally likely.`}
      >
        <Bars
          label="Probability of each token"
          bars={next.top.map(({ id, text, probability }) => ({
            kind: (after[id] ?? 0) > 0 ? 'mla' : 'gqa',
            label: visible(text),
            value: after[id] ?? 0,
            text: `${(after[id] ?? 0).toFixed(4)}${Math.abs((after[id] ?? 0) - probability) > 5e-5 ? `  (was ${probability.toFixed(4)})` : ''}`,
            strong: false,
          }))}
        />
      </Figure>
    </section>
  )
}

/** What the stream would say after each layer. */
function Lens({ reading }: { reading: TextReading }) {
  const row = useAfter(reading)
  const layers = useAnswer(
    async signal => {
      const all: NextTokens[] = []
      for await (const layer of reading.lens({ row, top: 4, signal })) all.push(layer)
      return all
    },
    [reading, row],
  )
  return (
    <section>
      <h2>What each layer would say</h2>
      <p class="hint">
        The stream at {row < 0 ? 'the last' : 'that'} token, through the final norm and the output, after each layer
        (the logit lens). Early layers repeat or guess; the answer forms late.
        {reading.layersInOne > 1 && ` ${halves(reading.layersInOne)}`}
      </p>
      <ScrollBox label="What each layer would say">
        <table class="lens" aria-busy={layers === undefined}>
          <thead>
            <tr>
              <th scope="col">After</th>
              <th scope="col">1st</th>
              <th scope="col">2nd</th>
              <th scope="col">3rd</th>
              <th scope="col">4th</th>
            </tr>
          </thead>
          <tbody>
            {layers?.map(({ layer, top }) => (
              <tr key={layer}>
                <th scope="row">{layer === 0 ? 'embedding' : `layer ${layer - 1}`}</th>
                {top.map(({ id, text, probability }) => (
                  <td key={id}>
                    <span class="word" style={{ '--share': `${Math.round(Math.sqrt(probability) * 100)}%` }}>
                      {visible(text)}
                    </span>{' '}
                    <span class="hint">{probability.toFixed(3)}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </section>
  )
}
