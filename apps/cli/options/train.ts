/** Options of `latentkit train`: those of the library, as flags. */
import { type Command, Option } from 'commander'
import { type OptionRows, TRAIN_OPTIONS } from '../../../src/for-apps.ts'
import type { TrainOptions } from '../../../src/training/index.ts'
import { engineFlag, givenOptions } from './engine-flags.ts'

/** By the names that commander gives flags. */
export type TrainFlags = Readonly<Record<string, unknown>>

/** `null`: the options that no other group has. */
const GROUPS: Readonly<Record<string, readonly string[] | null>> = {
  'Texts:': ['data', 'validation', 'separator', 'contextLength', 'tokenFolder'],
  'Steps:': ['steps', 'batchTokens', 'microTokens', 'saveEvery', 'validateEvery', 'keep', 'seed'],
  'What is learned:': ['dpo', 'beta', 'freeze', 'loraRank', 'loraAlpha', 'loraTargets', 'loraRankStabilised'],
  'Learning:': null,
  'On the way:': ['sampleEvery', 'samplePrompts', 'sampleTokens', 'evaluate', 'evaluateEvery', 'evaluateLimit'],
  'Running:': ['compute', 'recompute', 'kernels', 'threads'],
}

export function addTrainOptions(command: Command): Command {
  const grouped = Object.values(GROUPS).flatMap(names => names ?? [])
  const others = Object.keys(TRAIN_OPTIONS).filter(name => !grouped.includes(name))
  const rows: OptionRows = TRAIN_OPTIONS
  for (const [group, names] of Object.entries(GROUPS)) {
    for (const name of names ?? others) {
      const row = rows[name]
      if (row?.flag === undefined) continue
      if (row.kind.kind !== 'list') command.addOption(engineFlag(row, { group }))
      else
        command.addOption(new Option(row.flag, row.description).helpGroup(group).makeOptionMandatory(name === 'data'))
    }
  }
  return command
}

export function toTrainOptions(flags: TrainFlags): TrainOptions {
  return givenOptions(TRAIN_OPTIONS, flags)
}
