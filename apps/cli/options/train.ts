/** Options of `latentkit train`: those of the library, as flags. */
import { type Command, Option } from 'commander'
import { type OptionRows, TRAIN_OPTIONS } from '../../../src/for-apps.ts'
import type { TrainOptions } from '../../../src/training/index.ts'
import { engineFlag } from './engine-flags.ts'

/** By the names that commander gives flags. */
export type TrainFlags = Readonly<Record<string, unknown>>

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Texts:': ['data', 'validation', 'separator', 'contextLength', 'tokenFolder'],
  'Steps:': ['steps', 'batchTokens', 'microTokens', 'saveEvery', 'validateEvery', 'keep', 'seed'],
  'What is learned:': ['dpo', 'beta', 'freeze', 'loraRank', 'loraAlpha', 'loraTargets', 'loraRankStabilised'],
  'Learning:': [
    ...['rate', 'schedule', 'lastRate', 'warmup', 'decay', 'weightDecay', 'optimiser', 'momentum', 'balanceRate'],
    ...['sequenceBalance', 'predictionWeight', 'beta1', 'beta2', 'clip', 'smoothing', 'zLoss'],
  ],
  'On the way:': ['sampleEvery', 'samplePrompts', 'sampleTokens', 'evaluate', 'evaluateEvery', 'evaluateLimit'],
  'Running:': ['compute', 'recompute', 'kernels', 'threads'],
}

export function addTrainOptions(command: Command): Command {
  const rows: OptionRows = TRAIN_OPTIONS
  for (const [group, names] of Object.entries(GROUPS)) {
    for (const name of names) {
      const row = rows[name]
      if (!row?.flag) throw new Error(`the option ${name} of train has no flag`)
      if (row.kind.kind !== 'list') command.addOption(engineFlag(row, { group }))
      else
        command.addOption(new Option(row.flag, row.description).helpGroup(group).makeOptionMandatory(name === 'data'))
    }
  }
  return command
}

export function toTrainOptions(flags: TrainFlags): TrainOptions {
  const given: [string, unknown][] = []
  for (const [name, { flag }] of Object.entries<OptionRows[string]>(TRAIN_OPTIONS)) {
    const key = flag && new Option(flag).attributeName()
    if (key && flags[key] !== undefined) given.push([name, flags[key]])
  }
  return Object.fromEntries(given) as unknown as TrainOptions
}
