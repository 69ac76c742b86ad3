/** Options for several texts per prompt, and for choosing among them. */
import { type Command, Option } from 'commander'
import { BEAM_OPTIONS } from '../../../src/for-apps.ts'
import type { PromptOptions } from '../../../src/index.ts'
import { engineFlag } from './engine-flags.ts'
import { integer } from './parsers.ts'

export interface SeveralFlags {
  n?: number
  bestOf?: number
  beams?: number
  lengthPenalty?: number
}

const HEADING = 'Several texts:'
/** Limit of texts per prompt: each needs its own last block in the cache. */
const MAX_TEXTS = 1024

export function addSeveralOptions(command: Command): Command {
  const count = integer(1, MAX_TEXTS)
  return command
    .addOption(
      new Option('--n <n>', 'write n texts, of one reading of the prompt; seeds s, s + 1 …')
        .argParser(count)
        .conflicts(['bestOf', 'beams'])
        .helpGroup(HEADING),
    )
    .addOption(
      new Option('--best-of <n>', 'write n, show the one whose tokens are likeliest in the mean')
        .argParser(count)
        .conflicts('beams')
        .helpGroup(HEADING),
    )
    .addOption(
      engineFlag(BEAM_OPTIONS.width, { group: HEADING, description: 'beam search with n beams instead of drawing' }),
    )
    .addOption(
      engineFlag(BEAM_OPTIONS.lengthPenalty, {
        group: HEADING,
        description: `of beams: ${BEAM_OPTIONS.lengthPenalty.description}`,
      }),
    )
}

export function toBeamOptions({ beams: width, lengthPenalty }: SeveralFlags): PromptOptions {
  return width === undefined ? {} : { beams: { width, ...(lengthPenalty !== undefined && { lengthPenalty }) } }
}
