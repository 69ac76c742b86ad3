/** Which of an encoder-decoder's attentions is shown; nothing for other models. */
import { useMemo } from 'preact/hooks'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { type Attending, attendingOf, DIRECTIONS, type Direction } from './attending.ts'

/** What the address has of the choice goes with what it says of one attention. */
const FORGOTTEN = {
  layer: undefined,
  head: undefined,
  query: undefined,
  query2: undefined,
  key: undefined,
  key2: undefined,
  sort: undefined,
}

export function DirectionChoice({ reading }: { reading: TextReading }) {
  const { params } = useAddress()
  if (reading.source === null) return null
  const shown = attendingOf(reading, params.of).direction
  return (
    <fieldset class="toolbar" aria-label="Who looks">
      <span class="hint">Who looks:</span>
      {(Object.keys(DIRECTIONS) as Direction[]).map(direction => (
        <button
          key={direction}
          type="button"
          class="chip"
          aria-pressed={direction === shown}
          onClick={() => changeParams({ ...FORGOTTEN, of: direction })}
        >
          {DIRECTIONS[direction]}
        </button>
      ))}
    </fieldset>
  )
}

/** The attention that the address names. */
export function useAttending(reading: TextReading): Attending {
  const { params } = useAddress()
  return useMemo(() => attendingOf(reading, params.of), [reading, params.of])
}
