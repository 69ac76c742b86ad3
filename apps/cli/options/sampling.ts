/** Options of the commands that write text. */
import type { Command } from 'commander'
import { CHOOSING, OUTPUT_OPTIONS, PROMPT_OPTIONS, pickRows, withoutRows } from '../../../src/for-apps.ts'
import type { AttentionPath, PromptOptions, SpeculationKind } from '../../../src/index.ts'
import { addDrawingOptions } from './drawing.ts'
import { addFlags, engineFlag, givenOptions } from './engine-flags.ts'
import { choicesOf, collect, ofKind, type Parser, tokensFrom, unescaped } from './parsers.ts'

/** Parsed flags that commands name, and all others by the names that commander gives them. */
export interface SamplingFlags {
  maxTokens?: number
  seed?: number
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

const STOPPING = ['stopSequences', 'ignoreEos'] as const
const RUNNING = ['attentionPath', 'speculation'] as const

/** What of a prompt has flags here: its form and beams have theirs in the files beside. */
const ROWS = withoutRows(PROMPT_OPTIONS, ['beams', ...(Object.keys(OUTPUT_OPTIONS) as (keyof typeof OUTPUT_OPTIONS)[])])

export function addSamplingOptions(command: Command, defaults: { readonly maxTokens: string }): Command {
  const { maxTokens, stopSequences, ignoreEos } = ROWS
  const group = 'Sampling:'
  for (const name of SETTINGS) {
    if (name !== 'maxTokens') command.addOption(engineFlag(ROWS[name], { group }))
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
  addDrawingOptions(command, withoutRows(ROWS, [...SETTINGS, ...STOPPING, ...RUNNING]))
  return addFlags(command, pickRows(ROWS, RUNNING), {
    group: 'Running:',
    words: {
      attentionPath: { description: `MLA attention: ${PATHS.join(' or ')}` },
      speculation: { description: 'guess ahead, same text: ngram, draft, mtp, off' },
    },
  })
}

export function toPromptOptions(flags: SamplingFlags): PromptOptions {
  return givenOptions(ROWS, flags)
}

/** Whether the user gave any sampling option. */
export function choseSampling(flags: SamplingFlags): boolean {
  return Object.keys(givenOptions(pickRows(ROWS, CHOOSING), flags)).length > 0
}
