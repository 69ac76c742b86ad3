/** How large an attention map is that is asked for. */
import { OutOfMemoryError } from '../../errors.ts'
import type { Span } from '../../reading/questions.ts'

/** Of one head's map that are given at once. */
const MAX_BYTES = 2 ** 29

/** Bytes of one head's map. Throws OutOfMemoryError for one that is too large to be given. */
export function mapBytes(
  [from, to]: Span,
  keys: number,
  given: { readonly probabilities: boolean; readonly scores: boolean; readonly pool: number },
): number {
  const rows = to - from
  const whole = 4 * rows * keys * (Number(given.probabilities) + Number(given.scores))
  if (whole <= MAX_BYTES) return whole + 4 * Math.min(given.pool, rows) * Math.min(given.pool, keys) + 64
  throw new OutOfMemoryError(
    `A map of ${rows} queries and ${keys} keys has ${whole} bytes; at most ${MAX_BYTES} are given at once. Ask for some rows at ` +
      'a time (rows), or for a reduced pattern (pool)',
  )
}
