/** Which size of a latent model is written, and which are measured beside it. */
import type { LatentifyOptions } from './options.ts'
import type { Plan } from './plan.ts'
import { searched, searchSpace } from './search.ts'
import { type Choice, choiceOf, originalSize, thetaOf } from './sizes.ts'
import { smallestWithin } from './smallest.ts'
import type { Trial, Trials } from './trials.ts'

/** Sizes for a share of the original's cache. Throws OptionError. */
export function choiceFor(plan: Plan, { rope, theta }: LatentifyOptions, cacheRatio: number): Choice {
  return choiceOf(plan, { cacheRatio, ...(rope !== undefined && { rope }), ...(theta !== undefined && { theta }) })
}

/** The size, or where a search is asked for the best of as many numbers. */
export async function bestOf(plan: Plan, options: LatentifyOptions, trials: Trials, choice: Choice): Promise<Choice> {
  if (!options.search) return choice
  const total = choice.rank + choice.rope
  const start = { rope: choice.rope, theta: thetaOf(choice) ?? plan.rope.theta }
  const space = searchSpace(start, { total, width: plan.width, theta: Math.max(plan.rope.theta, start.theta) })
  // Frequencies that are a list have no base.
  const at = ({ rope, theta }: typeof start) =>
    rope === start.rope && theta === start.theta ? choice : choiceOf(plan, { rank: total - rope, rope, theta })
  const found = await searched(
    start,
    {
      ropes: options.rope === undefined ? space.ropes : [start.rope],
      thetas: options.theta === undefined ? space.thetas : [start.theta],
    },
    async place => ((await trials.measure(at(place))) as Trial).kl.mean,
  )
  return at(found)
}

/** The smallest with which perplexity is at most 1 + `pplWithin` times the original's. Throws OptionError where there is none. */
export async function smallestChoice(
  plan: Plan,
  options: LatentifyOptions & { readonly pplWithin: number },
  trials: Trials,
): Promise<Choice> {
  const whole = originalSize(plan)
  // A rope key that was given leaves smaller sizes no latent.
  const least = (options.rope ?? 0) + 2
  const choose = (numbers: number) => bestOf(plan, options, trials, choiceFor(plan, options, numbers / whole))
  const ratioOf = async (numbers: number) =>
    ((await trials.measure(await choose(numbers))) as Trial).perplexityRatio.mean
  return choose(await smallestWithin(options.pplWithin, { least, whole }, ratioOf))
}
