/** After which token the next one is meant: the last of a text; of what an encoder-decoder writes, any. `after` in the address. */
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { chosen, TokenChoice } from '../number-choice.tsx'
import { visible } from '../patterns/matrix.tsx'

/** The token's position; -1: the last. An encoder-decoder's text is written already, and begins with a token that is no text. */
export function useAfter(reading: TextReading): number {
  const { params } = useAddress()
  return reading.source === null ? -1 : chosen(params.after, 0, reading.tokens.length)
}

export function AfterChoice({ reading }: { reading: TextReading }) {
  const after = useAfter(reading)
  if (reading.source === null) return null
  return (
    <>
      <p class="hint">
        An encoder-decoder: it has read the text above, and writes another from it. Its own text begins with a token
        that is no part of it.
      </p>
      <div class="controls">
        <TokenChoice
          label="After which token it has written"
          value={after}
          tokens={reading.tokens.map(({ text }) => visible(text))}
          choose={after => changeParams({ after })}
        />
      </div>
    </>
  )
}
