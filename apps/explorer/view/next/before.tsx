/** The next tokens of a text as it is, and as it is read with changes. */
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { visible } from '../patterns/matrix.tsx'
import { useAfter } from './after.tsx'

export function Before({ reading, changed }: { reading: TextReading; changed: TextReading }) {
  const row = useAfter(reading)
  const both = useAnswer(
    signal => Promise.all([reading, changed].map(one => one.next({ row, top: 8, signal }))),
    [reading, changed, row],
  )
  if (both === undefined) return null
  return (
    <div class="pair">
      {both.map((next, i) => (
        <Figure
          key={i === 0 ? 'as it is' : 'changed'}
          title={i === 0 ? 'As it is' : 'Changed'}
          file={`latentkit-next-${i === 0 ? 'before' : 'after'}`}
        >
          <Bars
            label={i === 0 ? 'Next tokens as it is' : 'Next tokens, changed'}
            bars={next.top.map(one => ({
              kind: i === 0 ? 'mqa' : 'mla',
              label: visible(one.text),
              value: one.probability,
              text: one.probability.toFixed(4),
              strong: false,
            }))}
          />
        </Figure>
      ))}
    </div>
  )
}
