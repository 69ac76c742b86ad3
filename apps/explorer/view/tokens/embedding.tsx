/** The vector that a token becomes. */
import { Figure } from '../../drawing/figure.tsx'
import { SIGNS, Strip } from '../../drawing/strip.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { visible } from '../patterns/matrix.tsx'

export function Embedding({ reading, at }: { reading: TextReading; at: number }) {
  const vector = useAnswer(
    async signal => {
      const text = visible(reading.tokens[at]?.text ?? '')
      for await (const { values } of reading.hidden({ layers: [0], rows: [at, at + 1], signal }))
        return { text, values }
      return undefined
    },
    [reading, at],
  )
  return (
    vector && (
      <Figure title={`“${vector.text}” as a vector`} file="latentkit-embedding" note={SIGNS}>
        <Strip label="as it enters the first layer" values={vector.values} />
      </Figure>
    )
  )
}
