/** How far two next tokens are apart: the share of probability that one gives to other tokens. */
import type { TextReading } from '../../numbers/numbers.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { moved } from '../sides/moved.ts'
import { useAfter } from './after.tsx'
import { sameVocabulary } from './same-vocabulary.ts'

export function NextDifference({ first, second }: { first: TextReading; second: TextReading }) {
  const row = useAfter(first)
  const share = useAnswer(
    async signal => {
      if (!sameVocabulary(first, second)) return null
      const asked = { row, top: 1, logits: true, signal }
      const [a, b] = await Promise.all([first, second].map(reading => reading.next(asked)))
      if (a?.logits === undefined || b?.logits === undefined || a.logits.length !== b.logits.length) return null
      return moved(softmax(a.logits), softmax(b.logits))
    },
    [first, second, row],
  )
  if (share === undefined) return null
  if (share === null)
    return <p class="hint">Their next tokens cannot be compared one by one: the two vocabularies differ.</p>
  return (
    <p class="pair-line difference" role="status">
      <strong id="moved">{share.toFixed(4)}</strong> of the probability is on other tokens{' '}
      <span class="hint">(0: the same, 1: nothing in common)</span>
    </p>
  )
}

function softmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b))
  const weights = Float64Array.from(logits, logit => Math.exp(logit - most))
  const total = weights.reduce((a, b) => a + b)
  return weights.map(weight => weight / total)
}
