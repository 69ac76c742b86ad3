/** Options of the commands that write text. */
import { type Command, Option } from 'commander'
import type { AttentionPath, PromptOptions, SpeculationKind } from '../../../src/index.ts'
import { collect, integer, number, oneOf, tokens, unescaped } from './parsers.ts'

export interface SamplingFlags {
  temperature?: number
  topP?: number
  topK?: number
  minP?: number
  repetitionPenalty?: number
  presencePenalty?: number
  frequencyPenalty?: number
  seed?: number
  maxTokens?: number
  stop?: string[]
  ignoreEos?: boolean
  path?: AttentionPath
  speculate?: SpeculationKind
}

export const MAX_SEED = 2 ** 32 - 1
const HEADING = 'Sampling:'

/** Flag, help and parser, each under the name that the API has. */
export const SAMPLING = {
  temperature: {
    flag: '--temperature <t>',
    help: "0: always the likeliest token (default: the model's)",
    parse: number(0, 100),
  },
  topP: { flag: '--top-p <p>', help: 'the likeliest tokens that make up probability p', parse: number(0, 1) },
  topK: { flag: '--top-k <k>', help: 'the k likeliest tokens; 0: all', parse: integer(0) },
  minP: { flag: '--min-p <p>', help: "tokens of at least p times the likeliest's probability", parse: number(0, 1) },
  repetitionPenalty: { flag: '--repetition-penalty <x>', help: 'above 1: fewer repetitions', parse: number(0.01, 100) },
  presencePenalty: {
    flag: '--presence-penalty <x>',
    help: 'taken off once for what occurred',
    parse: number(-100, 100),
  },
  frequencyPenalty: {
    flag: '--frequency-penalty <x>',
    help: 'taken off for each occurrence',
    parse: number(-100, 100),
  },
  seed: { flag: '--seed <n>', help: 'same seed, same text (default: random, shown)', parse: integer(0, MAX_SEED) },
} as const

const SPECULATION: readonly SpeculationKind[] = ['ngram', 'draft', 'off']
export const PATHS: readonly AttentionPath[] = ['expanded', 'absorbed']

export function addSamplingOptions(command: Command, defaults: { readonly maxTokens: string }): Command {
  for (const { flag, help, parse } of Object.values(SAMPLING)) {
    command.addOption(new Option(flag, help).argParser(parse).helpGroup(HEADING))
  }
  return command
    .addOption(
      new Option('--max-tokens <n>', `end after n tokens (default: ${defaults.maxTokens})`)
        .argParser(tokens)
        .helpGroup(HEADING),
    )
    .addOption(
      new Option('--stop <text>', 'end before this text; may be given again; \\n is a line break')
        .argParser(collect(unescaped))
        .helpGroup(HEADING),
    )
    .addOption(new Option('--ignore-eos', 'go on after the end of the text').helpGroup(HEADING))
    .addOption(
      new Option('--path <path>', `MLA attention: ${PATHS.join(' or ')} (default: chosen by position)`)
        .argParser(oneOf(PATHS))
        .helpGroup('Running:'),
    )
    .addOption(
      new Option('--speculate <way>', `guess ahead, same text: ${SPECULATION.join(', ')} (default: off)`)
        .argParser(oneOf(SPECULATION))
        .helpGroup('Running:'),
    )
}

export function toPromptOptions(flags: SamplingFlags): PromptOptions {
  const { stop, path, speculate, ignoreEos, ...same } = pick(flags)
  return {
    ...same,
    ...(stop && { stopSequences: stop }),
    ...(path && { attentionPath: path }),
    ...(speculate && { speculation: speculate }),
    ...(ignoreEos && { ignoreEos }),
  }
}

/** Whether the user said anything about how tokens are chosen. */
export function choseSampling(flags: SamplingFlags): boolean {
  return ['temperature', 'topP', 'topK', 'minP'].some(name => flags[name as keyof SamplingFlags] !== undefined)
}

/** Only the fields of this file, and of those only what was given: commander hands over all flags of a command. */
function pick(flags: SamplingFlags): SamplingFlags {
  const names = [...Object.keys(SAMPLING), 'maxTokens', 'stop', 'ignoreEos', 'path', 'speculate']
  return Object.fromEntries(Object.entries(flags).filter(([k, v]) => names.includes(k) && v !== undefined))
}
