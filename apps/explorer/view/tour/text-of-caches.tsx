/** Texts of the tour: what has to be remembered. */
import { plan, planModelFromJson, publishedModel } from '../../../../src/planning/index.ts'
import { bytes, digits, whole } from '../../drawing/format.ts'
import { WithMatrices } from '../../drawing/maths.tsx'
import type { Numbers, TextReading } from '../../numbers/numbers.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useReading } from '../../state/use-reading.ts'
import { useGrowth } from '../cache/growth.ts'
import { costsOf } from '../cache/work.ts'
import { visible } from '../patterns/matrix.tsx'
import { WithNumbers } from '../read-status.tsx'
import { FLAG, LARGE, MET, PLAIN, RANK, STEPS_WRITTEN, TALE } from './places.ts'
import { Told } from './told.tsx'
import { withText } from './with-text.tsx'

export function WhyCache() {
  return <WithNumbers>{numbers => <Written numbers={numbers} />}</WithNumbers>
}

function Written({ numbers }: { numbers: Numbers }) {
  const { steps, done } = useGrowth(numbers, TALE, STEPS_WRITTEN)
  const model = useAnswer(async () => planModelFromJson(await numbers.config()), [numbers])
  const lengths = steps.map(({ cache }) => cache.tokens)
  const costs = model && done ? costsOf(model, lengths) : undefined
  const work = (which: 'with' | 'without') => costs && digits(costs.reduce((n, cost) => n + cost[which], 0) / 1e9)
  const used = done ? steps.at(-1)?.cache : undefined
  const plain = plan(planModelFromJson(PLAIN.config), { context: PLAIN.context })
  return (
    <>
      <p>
        Each new token looks at all earlier ones, so it needs their keys and values. Without a memory these are computed
        again for every token: in a text of 2,000 tokens, those of the first one 2,000 times. The {STEPS_WRITTEN} steps
        below take <Told>{work('without')}</Told> GFLOP (billions of operations) so, and <Told>{work('with')}</Told>{' '}
        with a <em>cache</em>, which computes each once.
      </p>
      <p>
        Its price is memory, which grows with every token, layer and head: <Told>{used && bytes(used.usedBytes)}</Told>{' '}
        here, behind <Told>{used && whole(used.tokens)}</Told> tokens. A model of 32 layers with 32 heads of 128 numbers
        keeps {bytes(plain.cache.bytes)} for {whole(PLAIN.context)} tokens of one user. (If an article told you 134 MB:
        that is one layer’s share.)
      </p>
    </>
  )
}

export function FewerHeads() {
  const p = plan(publishedModel(LARGE.model), { context: LARGE.context, compare: ['mha', 'gqa8', 'mqa'] })
  const of = (title: string) => p.compare.find(one => one.title === title)
  const [mha, gqa, mqa] = ['MHA', 'GQA-8', 'MQA'].map(of)
  return (
    <>
      <p>
        At the size of DeepSeek-R1, {whole(LARGE.context)} tokens with a key and a value for each head (MHA) would take{' '}
        <Told>{mha && bytes(mha.bytes)}</Told>. The first remedy: all heads share one key and value (<em>MQA</em>),{' '}
        <Told>{mqa && bytes(mqa.bytes)}</Told>. But then all heads read the same, and quality falls.
      </p>
      <p>
        <em>GQA</em> is between: groups of heads share, <Told>{gqa && bytes(gqa.bytes)}</Told> with 8 groups. Both buy
        memory with quality. <em>MLA</em> does not throw heads away: it stores them all in a short form, with{' '}
        <Told>{bytes(p.cache.bytes)}</Told>.
      </p>
    </>
  )
}

export const Latent = withText(FLAG, ({ reading }: { reading: TextReading }) => {
  const layer = reading.layers[MET.layer]
  const { heads = 0, keySize = 0, valueSize = 0, latentSize, sharedKeySize = 0 } = layer ?? {}
  if (latentSize === null) return <NoLatents />
  const plain = heads * (keySize + valueSize)
  return (
    <>
      <p>
        The keys and values of all heads come from the same x, so they have much in common. MLA multiplies x with one
        small matrix, <WithMatrices text="W_DKV" />, and gets the <em>latent</em>: <Told>{String(latentSize)}</Told>{' '}
        numbers here. Two other matrices, <WithMatrices text="W_UK and W_UV" />, can make the keys and values of all{' '}
        {heads} heads from it.
      </p>
      <p>
        Only the latent is cached, with <Told>{String(sharedKeySize)}</Told> numbers for the position, which a later
        step explains. Keys and values as such would be {whole(plain)} numbers,{' '}
        {digits(plain / ((latentSize ?? 1) + sharedKeySize))} times as many. All is learned together, so that what
        matters survives.
      </p>
    </>
  )
})

export function NoLatents() {
  return (
    <p>
      The model that is open has no latents. This step is written for the bundled one: use the button below to open it.
    </p>
  )
}

export const Kept = withText(FLAG, ({ reading }: { reading: TextReading }) => {
  const cut = useReading(FLAG, [{ kind: 'rank', of: 'latent', rank: RANK }])
  const facts = useAnswer(
    async signal => {
      const losses: number[] = []
      for await (const { errors } of reading.spectra({ signal }))
        losses.push(errors[Math.min(RANK, errors.length - 1)] ?? 0)
      return losses
    },
    [reading],
  )
  const next = useAnswer(
    async signal => {
      if (!cut.reading || cut.reading === reading) return undefined
      return Promise.all([reading, cut.reading].map(one => one.next({ top: 8, signal })))
    },
    [reading, cut.reading],
  )
  const [before, after] = next?.map(({ top: [best] }) => best) ?? []
  // Where another token is the likeliest now, what it had before.
  const had = before?.id === after?.id ? undefined : next?.[0]?.top.find(({ id }) => id === after?.id)
  const most = facts?.indexOf(Math.max(...facts))
  if (reading.layers.every(({ kind }) => kind !== 'latent')) return <NoLatents />
  return (
    <>
      <p>
        How small may it be? Try it: the latents of {reading.tokens.length} tokens lie in at most{' '}
        {reading.tokens.length} directions, and the slider keeps the <Told>{String(RANK)}</Told> strongest. Layer {most}{' '}
        loses most then: <Told>{most === undefined ? undefined : facts?.[most]?.toFixed(4)}</Told> of the length of all
        that it caches.
      </p>
      <p>
        Yet what the model expects changes little: the likeliest token was “{before && visible(before.text)}” with{' '}
        <Told>{before?.probability.toFixed(4)}</Told>, and is now “{after && visible(after.text)}” with{' '}
        <Told>{after?.probability.toFixed(4)}</Told>
        {had && (
          <>
            {' '}
            (which had <Told>{had.probability.toFixed(4)}</Told> before)
          </>
        )}
        . The heads’ keys and values say much the same, so few numbers carry what they share. Move the slider down to
        see when it breaks.
      </p>
    </>
  )
})

export function Saved() {
  const p = plan(publishedModel(LARGE.model), { context: LARGE.context, compare: ['mha'] })
  const [mha] = p.compare
  return (
    <>
      <p>
        Back to the size of DeepSeek-R1: {whole(LARGE.context)} tokens need <Told>{mha && bytes(mha.bytes)}</Told> with
        keys and values for every head, and <Told>{bytes(p.cache.bytes)}</Told> with latents:{' '}
        <Told>{mha && `${digits(mha.ratio)}×`}</Told> less. With the latent alone it would be 64 times; the numbers for
        the position are cached, too.
      </p>
      <p>
        What fits into memory then is more users and longer texts at once, which is where most of the speed comes from.
        Now move the sliders, open your own model, or chat with the small one and look into its answers.
      </p>
    </>
  )
}
