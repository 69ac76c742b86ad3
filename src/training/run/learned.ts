/** Which numbers of a model a run learns, and which settings have something to decide then. */
import { OptionError } from '../../errors.ts'
import type { LearnOptions } from '../learned-model.ts'
import type { TrainOptions } from './options.ts'

type Name = keyof TrainOptions

/** Settings that decide nothing without another, and why. */
const NEEDED: readonly (readonly [needed: Name, of: readonly Name[], why: string])[] = [
  ['dpo', ['beta'], 'it weighs preferences'],
  ['loraRank', ['loraAlpha', 'loraTargets', 'loraRankStabilised'], 'an adapter needs a rank, such as 8'],
  ['sampleEvery', ['samplePrompts', 'sampleTokens'], 'without it no sample is written'],
  ['evaluate', ['evaluateEvery', 'evaluateLimit'], 'without it no question is asked'],
]

/** Settings that decide nothing beside another, and why. */
const REFUSED: readonly (readonly [beside: Name, of: readonly Name[], why: string])[] = [
  ['loraRank', ['freeze', 'balanceRate', 'predictionWeight'], 'beside an adapter the whole model is frozen'],
  [
    'dpo',
    ['smoothing', 'zLoss', 'balanceRate', 'sequenceBalance', 'predictionWeight'],
    'the loss of preferences is of answers alone',
  ],
]

/** Throws OptionError for a setting that would decide nothing beside the others. */
export function checkLearned(options: TrainOptions): void {
  for (const [needed, names, why] of NEEDED) {
    const given = names.find(name => isGiven(options[name]))
    if (given && !isGiven(options[needed])) throw new OptionError(`${given} was given without ${needed}; ${why}`)
  }
  for (const [beside, names, why] of REFUSED) {
    const given = names.find(name => isGiven(options[name]))
    if (given && isGiven(options[beside])) throw new OptionError(`${given} and ${beside} were given; ${why}`)
  }
  if (options.momentum !== undefined && options.optimiser !== 'muon')
    throw new OptionError("momentum was given without optimiser muon; it is Muon's")
}

/** Off and 0 are what nobody has asked for. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && value !== 0
}

/** Whether the model's own weights decide a run's numbers after its first step, too: those that are not learned, and DPO's reference. */
export function dependsOnModel({ dpo, freeze, loraRank }: TrainOptions): boolean {
  return dpo === true || freeze !== undefined || loraRank !== undefined
}

/** Whether a model's modules of multi-token prediction are learned. */
export function learnsPredictions({ dpo, loraRank }: TrainOptions): boolean {
  return dpo !== true && loraRank === undefined
}

export function learnOptions(settings: TrainOptions & { readonly seed: number }): LearnOptions {
  const { loraRank: rank, loraAlpha: alpha, loraTargets: targets, loraRankStabilised, freeze, seed } = settings
  if (rank === undefined) return { predictions: learnsPredictions(settings), ...(freeze && { freeze }) }
  const stabilised = loraRankStabilised === true && { rankStabilised: true }
  return { lora: { rank, ...(alpha !== undefined && { alpha }), ...(targets && { targets }), ...stabilised }, seed }
}
