/** How far the same head of two models, or in two texts of as many tokens, looks elsewhere. */
import type { TextReading } from '../../numbers/numbers.ts'
import { useAddress } from '../../state/address.ts'
import { useAnswer } from '../../state/use-answer.ts'
import type { Place } from '../presets.ts'
import { moved } from '../sides/moved.ts'

interface Props {
  first: TextReading
  second: TextReading
  place: Place | undefined
}

export function HeadDifference({ first, second, place }: Props) {
  const { params } = useAddress()
  const layer = Number(params.layer ?? place?.layer ?? Number.NaN)
  const head = Number(params.head ?? place?.head ?? Number.NaN)
  const tokens = first.tokens.length
  const alike =
    second.tokens.length === tokens && [first, second].every(({ layers }) => head < (layers[layer]?.heads ?? 0))
  const share = useAnswer(
    async signal => {
      if (!alike) return undefined
      const [a, b] = await Promise.all([first, second].map(reading => patternOf(reading, layer, head, signal)))
      return a && b ? moved(a, b) / tokens : undefined
    },
    [first, second, layer, head, alike],
  )
  if (Number.isNaN(layer)) return <p class="hint">Choose a head to compare it in both.</p>
  if (!alike) return <p class="hint">Their numbers cannot be compared one by one: {differing(first, second)}</p>
  if (share === undefined) return null
  return (
    <p class="pair-line difference" role="status">
      Head {layer}.{head} of the two: on average <strong id="moved">{share.toFixed(4)}</strong> of a token’s attention
      goes elsewhere <span class="hint">(0: the same, 1: nothing in common)</span>
    </p>
  )
}

function differing(first: TextReading, second: TextReading): string {
  return first.tokens.length === second.tokens.length
    ? 'only one of them has this head.'
    : `${first.tokens.length} tokens here, ${second.tokens.length} there.`
}

async function patternOf(
  reading: TextReading,
  layer: number,
  head: number,
  signal: AbortSignal,
): Promise<Float32Array | undefined> {
  for await (const { probabilities } of reading.attention({ layers: [layer], heads: [head], signal }))
    return probabilities
  return undefined
}
