/** How far the same head of two models, or in two texts of as many tokens, looks elsewhere. */
import type { TextReading } from '../../numbers/numbers.ts'
import { useAddress } from '../../state/address.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { sameVocabulary } from '../next/same-vocabulary.ts'
import type { Place } from '../presets.ts'
import { moved } from '../sides/moved.ts'
import type { Attending } from './attending.ts'
import { useAttending } from './direction-choice.tsx'

interface Props {
  first: TextReading
  second: TextReading
  place: Place | undefined
}

export function HeadDifference({ first: one, second: other, place }: Props) {
  const { params } = useAddress()
  const [first, second] = [useAttending(one), useAttending(other)]
  const layer = Number(params.layer ?? place?.layer ?? Number.NaN)
  const head = Number(params.head ?? place?.head ?? Number.NaN)
  const tokens = first.tokens.length
  const unlike = differing(first, second, layer, head)
  const alike = unlike === undefined
  const share = useAnswer(
    async signal => {
      if (!alike) return undefined
      const [a, b] = await Promise.all([first, second].map(reading => patternOf(reading, layer, head, signal)))
      return a && b ? moved(a, b) / tokens : undefined
    },
    [first, second, layer, head, alike],
  )
  if (Number.isNaN(layer)) return <p class="hint">Choose a head to compare it in both.</p>
  if (!alike) return <p class="hint">Their numbers cannot be compared one by one: {unlike}</p>
  if (share === undefined) return null
  return (
    <p class="pair-line difference" role="status">
      Head {layer}.{head} of the two: on average <strong id="moved">{share.toFixed(4)}</strong> of a token’s attention
      goes elsewhere <span class="hint">(0: the same, 1: nothing in common)</span>
    </p>
  )
}

/** What keeps the two patterns from being compared number by number. */
function differing(first: Attending, second: Attending, layer: number, head: number): string | undefined {
  for (const of of ['tokens', 'keys'] as const) {
    const [here, there] = [first[of].length, second[of].length]
    if (here !== there) return `${here} tokens here, ${there} there.`
  }
  if (!sameVocabulary(first, second)) return 'the two vocabularies differ, so tokens at one place are not the same.'
  const has = ({ layers }: Attending) => head < (layers[layer]?.heads ?? 0)
  if (has(first) && has(second)) return undefined
  return has(first) || has(second) ? 'only one of them has this head.' : 'none of them has this head.'
}

async function patternOf(
  reading: Attending,
  layer: number,
  head: number,
  signal: AbortSignal,
): Promise<Float32Array | undefined> {
  for await (const { probabilities } of reading.attention({ layers: [layer], heads: [head], signal }))
    return probabilities
  return undefined
}
