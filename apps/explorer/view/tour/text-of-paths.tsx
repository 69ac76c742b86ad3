/** Texts of the tour: the two paths of MLA, and rope between them. */

import { digits, whole } from '../../drawing/format.ts'
import { Maths, WithMatrices } from '../../drawing/maths.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { BEHIND, multiplications } from '../cell/cost.ts'
import { DISTANCES, scoresByDistance } from '../cell/turned.ts'
import { FLAG, MET } from './places.ts'
import { NoLatents } from './text-of-caches.tsx'
import { Told } from './told.tsx'
import { withText } from './with-text.tsx'

interface Props {
  reading: TextReading
}

function useCell(reading: TextReading) {
  const cell = useAnswer(signal => reading.cell({ ...MET, signal }), [reading])
  return {
    cell,
    latent: reading.layers[MET.layer]?.kind === 'latent',
    expanded: cell?.paths.find(({ path }) => path === 'expanded'),
    absorbed: cell?.paths.find(({ path }) => path === 'absorbed'),
  }
}

export const NoKeys = withText(FLAG, ({ reading }: Props) => {
  const { latent, expanded, absorbed } = useCell(reading)
  if (!latent) return <NoLatents />
  return (
    <>
      <p>
        Must keys be computed again from the latents, then? No. In the score, two matrices stand beside each other with
        nothing between: <Maths source="(W_Q x) \cdot (W_{UK} c) = (W_{UK}^\top W_Q x) \cdot c" />. So{' '}
        <WithMatrices text="W_UK" /> can go into the query once (it is <em>absorbed</em>), and the query meets the
        cached latent c itself.
      </p>
      <p>
        Expanded, with a key: <Told>{expanded?.worked.toFixed(5)}</Told>. Absorbed, without one:{' '}
        <Told>{absorbed?.worked.toFixed(5)}</Told>. The vectors have{' '}
        <Told>{expanded && String(expanded.key.length)}</Told> and{' '}
        <Told>{absorbed && String(absorbed.key.length)}</Told> numbers, and the score is the same but for rounding.
        Likewise <WithMatrices text="W_UV goes into W_O" />, so values are not computed either.
      </p>
    </>
  )
})

export const RopeApart = withText(FLAG, ({ reading }: Props) => {
  const { cell, latent, expanded } = useCell(reading)
  if (!latent) return <NoLatents />
  const dots = cell?.rotation && expanded ? scoresByDistance(expanded, cell.rotation, DISTANCES) : undefined
  const scores = dots?.map(dot => dot * (cell?.scale ?? 1))
  const fixed = cell && expanded && expanded.plainDot * cell.scale
  return (
    <>
      <p>
        Something is missing: order. <em>RoPE</em> rotates queries and keys by their positions, so that the score knows
        their distance. But on keys made from latents, the rotation would stand between the two matrices:{' '}
        <Maths source="W_{UK}^\top R\, W_Q" />, with another R for every distance, so nothing can be merged in advance.
        Here the part without rope scores <Told>{fixed?.toFixed(2)}</Told>, whatever the distance; with rope it would
        run from <Told>{scores && Math.min(...scores).toFixed(2)}</Told> to{' '}
        <Told>{scores && Math.max(...scores).toFixed(2)}</Told> with the distance. One absorbed query cannot give all of
        these.
      </p>
      <p>
        Hence the two are <em>decoupled</em>: a few numbers carry RoPE, one key of them for all heads, cached beside the
        latent; the rest carries none and can be absorbed. Their products are added:{' '}
        <Told>{expanded?.plainDot.toFixed(5)}</Told> without positions and <Told>{expanded?.ropeDot.toFixed(5)}</Told>{' '}
        of the rope part; times <Told>{cell?.scale.toPrecision(4)}</Told> that is the score,{' '}
        <Told>{expanded?.worked.toFixed(5)}</Told>.
      </p>
    </>
  )
})

export const Absorbed = withText(FLAG, ({ reading }: Props) => {
  const layer = reading.layers[MET.layer]
  if (layer?.kind !== 'latent') return <NoLatents />
  const [expanded, absorbed] = (['expanded', 'absorbed'] as const).map(path => multiplications(layer, path, BEHIND))
  return (
    <>
      <p>
        What is it good for? Behind {whole(BEHIND)} cached tokens, one more token would first have to make the keys and
        values of all {whole(BEHIND)} again: <Told>{whole(expanded ?? 0)}</Told> multiplications in this layer. Absorbed
        it takes <Told>{whole(absorbed ?? 0)}</Told>, {digits((expanded ?? 0) / (absorbed ?? 1))} times fewer, and
        nothing is read but the small cache.
      </p>
      <p>
        While a long prompt is read it is the other way round: many queries share the keys once they are computed, and
        shorter vectors are multiplied. So the expanded path reads prompts and the absorbed one writes, as this engine
        does.
      </p>
    </>
  )
})
