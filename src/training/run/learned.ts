/** Which numbers of a model a run learns. */
import { OptionError } from '../../errors.ts'
import type { LearnOptions } from '../trainer.ts'
import type { Settings } from './settings.ts'

type Learned = Pick<
  Settings,
  'dpo' | 'beta' | 'loraRank' | 'loraAlpha' | 'loraTargets' | 'loraRankStabilised' | 'freeze'
>

/** Throws OptionError for settings of an adapter without one, and for an adapter and `freeze`. */
export function checkLearned({
  dpo,
  beta,
  loraRank,
  loraAlpha,
  loraTargets,
  loraRankStabilised,
  freeze,
}: Learned): void {
  if (beta !== undefined && !dpo) throw new OptionError('beta was given without dpo; it weighs preferences')
  if (loraRank !== undefined) {
    if (freeze) throw new OptionError('freeze and loraRank were given; beside an adapter the whole model is frozen')
    return
  }
  const given = Object.entries({ loraAlpha, loraTargets, loraRankStabilised }).find(([, value]) => value !== undefined)
  if (given) throw new OptionError(`${given[0]} was given without loraRank; an adapter needs a rank, such as 8`)
}

export function learnOptions(settings: Settings): LearnOptions {
  const { loraRank: rank, loraAlpha: alpha, loraTargets: targets, loraRankStabilised, freeze, seed } = settings
  if (rank === undefined) return freeze ? { freeze } : {}
  const stabilised = loraRankStabilised === true && { rankStabilised: true }
  return { lora: { rank, ...(alpha !== undefined && { alpha }), ...(targets && { targets }), ...stabilised }, seed }
}
