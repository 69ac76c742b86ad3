/** How many numbers a latent model caches, and what its rope key turns by. */
import { OptionError } from '../errors.ts'
import { ropeFrequencies } from '../nn/attention/rope.ts'
import { wholeFrequencies } from './factors.ts'
import type { RopeForm } from './form.ts'
import type { LatentifyOptions } from './options.ts'
import type { Plan, Sizes } from './plan.ts'
import { plainFrequencies } from './slots.ts'

/** What a latent model is computed with. */
export interface Choice extends Sizes {
  readonly form: RopeForm
}

type Given = Pick<LatentifyOptions, 'rank' | 'rope' | 'cacheRatio' | 'theta'>

/** Null: the frequencies are a list. */
export function thetaOf({ form }: Pick<Choice, 'form'>): number | null {
  return 'theta' in form ? form.theta : null
}

/** Numbers that the original caches per token and layer. */
export function originalSize({ groups, width }: Plan): number {
  return 2 * groups * width
}

/** Whether nothing is lost, so that no text has to be read: all keys are in the rope key, all values in the latent. */
export function isWhole({ groups, width }: Plan, { rank, rope }: Sizes): boolean {
  return rope === groups * width && rank >= groups * width
}

/** From options: both sizes, or a share of the original's cache, of which the rope key then gets what `ropeFor` says. Throws OptionError. */
export function choiceOf(plan: Plan, options: Given): Choice {
  const sizes = sizesOf(plan, options)
  return { ...sizes, form: formOf(plan, sizes, options.theta) }
}

function formOf(plan: Plan, sizes: Sizes, theta: number | undefined): RopeForm {
  const { rope, groups, width } = plan
  // Where every pair of all groups has a place, any other frequencies than its own would lose something.
  if (sizes.rope < groups * width || (theta !== undefined && !isWhole(plan, sizes)))
    return { theta: theta ?? thetaFor((sizes.rank + sizes.rope) / originalSize(plan)) }
  if (groups === 1 && rope.scaling.kind === 'none') return { theta: rope.theta }
  // Of several groups each frequency comes several times, which no base gives.
  const { frequencies } = ropeFrequencies(rope)
  return { frequencies: wholeFrequencies({ frequencies, groups }) }
}

/** Radians per position of the rope key's pairs. */
export function frequenciesOf({ form, rope }: Choice): Float64Array {
  return 'theta' in form ? plainFrequencies(rope, form.theta) : form.frequencies
}

function sizesOf(plan: Plan, options: Given): Sizes {
  const { rank, rope, cacheRatio } = options
  const { groups, width } = plan
  const whole = groups * width
  if (cacheRatio !== undefined) {
    if (rank !== undefined)
      throw new OptionError('cacheRatio and rank are both given; one of them says how much is kept')
    if (cacheRatio === 1 && rope === undefined) return { rank: whole, rope: whole }
    const total = 2 * Math.round((cacheRatio * originalSize(plan)) / 2)
    const chosen = rope ?? ropeFor(cacheRatio, total, width)
    if (total - chosen < 2) {
      throw new OptionError(
        `cacheRatio is ${cacheRatio}, ${total} numbers per token, of which rope takes ${chosen}; expected more for the latent: at least 2`,
      )
    }
    return checked(plan, { rank: total - chosen, rope: chosen })
  }
  if (rank === undefined || rope === undefined) {
    throw new OptionError(
      `expected cacheRatio, or rank and rope; the original caches ${originalSize(plan)} numbers per token and layer, and rank ${whole} with rope ${whole} keeps all of it`,
    )
  }
  return checked(plan, { rank, rope })
}

function checked(plan: Plan, sizes: Sizes): Sizes {
  const { groups, width } = plan
  const whole = groups * width
  const { rank, rope } = sizes
  if (rope % 2 !== 0) throw new OptionError(`rope is ${rope}; expected an even number: pairs are rotated`)
  if (rank > 2 * whole) {
    throw new OptionError(`rank is ${rank}; expected at most ${2 * whole}, the original's keys and values together`)
  }
  if (rope > width && !isWhole(plan, sizes)) {
    throw new OptionError(
      `rope is ${rope}; expected at most ${width}, the width of a head, or ${whole} with a rank of ${whole}, which keeps all`,
    )
  }
  return sizes
}

/** Of SmolLM2-135M on validation text: the smaller the cache, the smaller the share that rotates. */
function ropeFor(ratio: number, total: number, width: number): number {
  const share = ratio >= 0.45 ? 1 / 4 : ratio >= 0.3 ? 2 / 9 : ratio >= 0.2 ? 1 / 6 : 1 / 3
  return Math.max(2, Math.min(width, 2 * Math.round((share * total) / 2)))
}

/** The same of the base: slots of a small cache are few, so they lie closer to the fast end. */
function thetaFor(ratio: number): number {
  return ratio >= 0.18 ? 10_000 : 1_000
}
