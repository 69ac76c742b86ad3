/** The smallest cache that loses no more than is allowed. */
import { OptionError } from '../errors.ts'

/** Numbers per token between two sizes. */
const STEP = 16
/** About so many sizes of a model are looked at. */
const STEPS = 24

/**
 * Numbers per token and layer, at least `least` and fewer than `whole`, with which perplexity is at most 1 + `limit` times the original's: by halving, as if less cache always lost
 * more. `ratioOf`: perplexity with so many numbers, to the original's. Throws OptionError where there is no such size.
 */
export async function smallestWithin(
  limit: number,
  { least, whole }: { readonly least: number; readonly whole: number },
  ratioOf: (numbers: number) => Promise<number>,
): Promise<number> {
  const step = STEP * Math.max(1, Math.round(whole / STEP / STEPS))
  let [below, best] = [Math.ceil(least / step) - 1, Math.ceil(whole / step)]
  const end = best
  let ratio = Number.POSITIVE_INFINITY
  while (best - below > 1) {
    const middle = Math.floor((below + best) / 2)
    ratio = await ratioOf(middle * step)
    if (ratio <= 1 + limit) best = middle
    else below = middle
  }
  if (best < end) return best * step
  const met =
    ratio === Number.POSITIVE_INFINITY
      ? `the original caches only ${whole} numbers per token and layer`
      : `even with ${below * step} of ${whole} numbers per token and layer perplexity is ${ratio.toFixed(3)} times the original's`
  throw new OptionError(
    `pplWithin is ${limit}; ${met}: expected a wider limit, or a calibration text of the kind that the model is for`,
  )
}
