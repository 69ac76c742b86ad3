/** Options of the commands that write text. */
import type { Command } from 'commander'
import { PROMPT_OPTIONS } from '../../../src/for-apps.ts'
import type { AttentionPath, PromptOptions, SpeculationKind } from '../../../src/index.ts'
import { addDrawingOptions, type DrawingFlags, toDrawing } from './drawing.ts'
import { engineFlag } from './engine-flags.ts'
import { choicesOf, collect, ofKind, type Parser, tokensFrom, unescaped } from './parsers.ts'

export interface SamplingFlags extends DrawingFlags {
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

/** Settings that can be changed between answers, by their names in the API. */
export const SETTINGS = [
  ...(['temperature', 'topP', 'topK', 'minP'] as const),
  ...(['repetitionPenalty', 'presencePenalty', 'frequencyPenalty', 'seed', 'maxTokens'] as const),
]
export type Setting = (typeof SETTINGS)[number]

export const PATHS = choicesOf<AttentionPath>(PROMPT_OPTIONS.attentionPath)

/** Parses the value of `/temperature 0.5` and `--temperature 0.5`. */
export function settingParser(name: Setting): Parser<number> {
  return name === 'maxTokens' ? tokensFrom(0) : ofKind(PROMPT_OPTIONS[name].kind)
}

export function addSamplingOptions(command: Command, defaults: { readonly maxTokens: string }): Command {
  const { maxTokens, stopSequences, ignoreEos, attentionPath, speculation } = PROMPT_OPTIONS
  const group = 'Sampling:'
  const running = 'Running:'
  for (const name of SETTINGS) {
    if (name !== 'maxTokens') command.addOption(engineFlag(PROMPT_OPTIONS[name], { group }))
  }
  command
    .addOption(engineFlag(maxTokens, { group, defaultText: defaults.maxTokens, parse: settingParser('maxTokens') }))
    .addOption(
      engineFlag(stopSequences, {
        group,
        description: 'end before this text; may be given again; \\n is a line break',
        parse: unescaped,
      }).argParser(collect(unescaped)),
    )
    .addOption(engineFlag(ignoreEos, { group }))
  return addDrawingOptions(command)
    .addOption(engineFlag(attentionPath, { group: running, description: `MLA attention: ${PATHS.join(' or ')}` }))
    .addOption(
      engineFlag(speculation, { group: running, description: 'guess ahead, same text: ngram, draft, mtp, off' }),
    )
}

export function toPromptOptions(flags: SamplingFlags): PromptOptions {
  const { stop, path, speculate, ignoreEos, ...same } = pick(flags)
  return {
    ...same,
    ...toDrawing(flags),
    ...(stop && { stopSequences: stop }),
    ...(path && { attentionPath: path }),
    ...(speculate && { speculation: speculate }),
    ...(ignoreEos && { ignoreEos }),
  }
}

/** Whether the user gave any sampling option. */
export function choseSampling(flags: SamplingFlags): boolean {
  const names = ['temperature', 'topP', 'topK', 'minP', 'typicalP', 'topNSigma', 'mirostatTau', 'mirostatEta'] as const
  return names.some(name => flags[name] !== undefined)
}

/** Only the given sampling flags: commander passes all flags of a command. */
function pick(flags: SamplingFlags): SamplingFlags {
  const names: readonly string[] = [...SETTINGS, 'stop', 'ignoreEos', 'path', 'speculate']
  return Object.fromEntries(Object.entries(flags).filter(([k, v]) => names.includes(k) && v !== undefined))
}
