/** Texts of the tour: from tokens to heads. */

import { whole } from '../../drawing/format.ts'
import type { TextReading } from '../../numbers/numbers.ts'
import { useModel } from '../../state/model.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useReading } from '../../state/use-reading.ts'
import { visible } from '../patterns/matrix.tsx'
import { partingOf, sharedWords } from '../tokens/parting.tsx'
import { A_TOKEN, FLAG, LOOK, MET, ONE_READING, RIVER, SAVINGS, UMBRELLA } from './places.ts'
import { Told } from './told.tsx'
import { withText } from './with-text.tsx'

interface Props {
  reading: TextReading
}

export const Token = withText(FLAG, ({ reading }: Props) => {
  const model = useModel()
  const token = reading.tokens[A_TOKEN]
  const vocabulary = model.status === 'ready' ? whole(model.numbers.info.vocabSize) : undefined
  return (
    <>
      <p>
        A model reads no letters and no words. It has a fixed list of {vocabulary ?? 'some thousand'} pieces of text,
        the <em>tokens</em>, and cuts every text into these. This sentence becomes{' '}
        <Told>{String(reading.tokens.length)}</Told> of them. Words that were frequent in its training are whole, others
        fall into pieces. The first token is no part of the sentence: it separates texts, so here it says that one
        begins.
      </p>
      <p>
        “{visible(token?.text ?? '')}” has the number <Told>{token && String(token.id)}</Told>. It stands for a vector
        of <Told>{String(reading.hiddenSize)}</Told> numbers, its <em>embedding</em>. From here on the model computes
        with vectors of this width only, through all layers.
      </p>
    </>
  )
})

export const Meaning = withText(RIVER, ({ reading }: Props) => {
  const second = useReading(SAVINGS).reading
  const parting = useAnswer(
    async signal => {
      const [word] = second ? sharedWords(reading, second) : []
      return second && word && partingOf(reading, second, word, signal)
    },
    [reading, second],
  )
  return (
    <>
      <p>
        “bank” is one token with one embedding, at the river and in town: before the first layer its two vectors are{' '}
        <Told>{parting?.[0]?.distance.toFixed(3)}</Told> apart. But the meaning is in the words around. Older models
        (RNNs) pressed all of these into one state and forgot the first ones of a long text.
      </p>
      <p>
        With attention every token fetches what it needs from the others, however far. So the two vectors part from
        layer to layer, and after the last one their distance is <Told>{parting?.at(-1)?.distance.toFixed(3)}</Told> of
        their length. Such a vector that knows its sentence is called a <em>context vector</em>.
      </p>
    </>
  )
})

export const Next = withText(FLAG, ({ reading }: Props) => {
  const next = useAnswer(signal => reading.next({ top: 12, signal }), [reading])
  const [best] = next?.top ?? []
  const place = next?.top.findIndex(({ text }) => text.trim() === 'blue') ?? -1
  return (
    <>
      <p>
        After the last layer the vector of the last token becomes one score for every token of the list, and the{' '}
        <em>softmax</em> makes probabilities of these. The likeliest is “{best && visible(best.text)}” with{' '}
        <Told>{best?.probability.toFixed(4)}</Told>.
        {place >= 0 && (
          <>
            {' '}
            “blue”, which you expect, is number {place + 1} with <Told>{next?.top[place]?.probability.toFixed(4)}</Told>
            : this model is small and has read fairy tales only.
          </>
        )}
      </p>
      <p>
        That is all a model does: expect a token, choose one, append it, and read again. Always to take the likeliest is
        called <em>greedy</em>; the sliders make other choices possible.
      </p>
    </>
  )
})

async function sharesOf(reading: TextReading, place: typeof LOOK, signal: AbortSignal): Promise<Float32Array> {
  const { layer, head, query } = place
  const where = { layers: [layer], heads: [head], rows: [query, query + 1], signal }
  for await (const { probabilities } of reading.attention(where)) if (probabilities) return probabilities
  return new Float32Array()
}

/** Positions, what gets most at first. */
function byShare(shares: Float32Array | undefined): number[] {
  return [...(shares ?? []).keys()].sort((a, b) => (shares?.[b] ?? 0) - (shares?.[a] ?? 0))
}

export const WhoLooks = withText(FLAG, ({ reading }: Props) => {
  const shares = useAnswer(signal => sharesOf(reading, LOOK, signal), [reading])
  const [first = 0, second = 0] = byShare(shares)
  const name = (position: number) => visible(reading.tokens[position]?.text ?? '')
  return (
    <>
      <p>
        A <em>head</em> fills a token’s vector with what other tokens know. It gives each of them a share, and the
        shares come to 1. A row of the picture is the token that looks, a column what it looks at. In head {LOOK.head}{' '}
        of layer {LOOK.layer} (both are counted from 0), {LOOK.layer}.{LOOK.head} for short, “{name(LOOK.query)}” gives
        “{name(first)}” <Told>{shares?.[first]?.toFixed(3)}</Told> and “{name(second)}”{' '}
        <Told>{shares?.[second]?.toFixed(3)}</Told>: it collects the colours so far.
      </p>
      <p>
        Half of the picture is empty: no token may look at a later one (the <em>causal mask</em>). Else, in training,
        the model would simply look up the word that it shall learn to predict.
      </p>
    </>
  )
})

interface Other {
  readonly layer: number
  readonly head: number
  readonly share: number
}

/** The head in which a token looks at another one most. */
async function strongest(reading: TextReading, query: number, key: number, signal: AbortSignal): Promise<Other> {
  let best: Other = { layer: 0, head: 0, share: 0 }
  for await (const { layer, head, probabilities } of reading.attention({ rows: [query, query + 1], signal })) {
    const share = probabilities?.[key] ?? 0
    if (share > best.share) best = { layer, head, share }
  }
  return best
}

export const ManyHeads = withText(UMBRELLA, ({ reading }: Props) => {
  const { layer, head, query } = ONE_READING
  const shares = useAnswer(signal => sharesOf(reading, ONE_READING, signal), [reading])
  const [first = 0] = byShare(shares)
  const man = reading.tokens.findIndex(({ text }) => text.trim() === 'man')
  const other = useAnswer(signal => strongest(reading, query, man, signal), [reading])
  const total = reading.layers.reduce((n, one) => n + one.heads, 0)
  return (
    <>
      <p>
        Who has the umbrella? Two readings, and one set of shares holds only one. From the first piece of “umbrella”,
        head {layer}.{head} gives “{visible(reading.tokens[first]?.text ?? '')}”{' '}
        <Told>{shares?.[first]?.toFixed(3)}</Told>, as if he was hit with it; head{' '}
        {other && `${other.layer}.${other.head}`} gives “man” <Told>{other?.share.toFixed(3)}</Told>, as if it was his.
      </p>
      <p>
        That is why each layer has several heads, every one with a part of the width. This model has{' '}
        <Told>{String(total)}</Told> patterns; the picture at the end shows how many larger ones have. Choose some of
        them below: what most heads do has no simple name.
      </p>
    </>
  )
})

export const QueryMeetsKey = withText(FLAG, ({ reading }: Props) => {
  const cell = useAnswer(signal => reading.cell({ ...MET, signal }), [reading])
  const [from, to] = [MET.query, MET.key].map(position => visible(reading.tokens[position]?.text ?? ''))
  return (
    <>
      <p>
        How does a head find its shares? From the vector of the token that looks, learned weights make a <em>query</em>,
        from that of every other one a <em>key</em>. Query times key, divided by the root of their width, is the{' '}
        <em>score</em>: “{from}” and “{to}” have <Told>{cell?.score.toFixed(2)}</Told>.
      </p>
      <p>
        The softmax over all scores makes the share: <Told>{cell?.probability.toFixed(4)}</Told>. With that share the{' '}
        <em>value</em> of “{to}”, a third vector, goes into the result. The frame holds the shares; the product stands
        above it and the value below, all with the model’s own numbers.
      </p>
    </>
  )
})
