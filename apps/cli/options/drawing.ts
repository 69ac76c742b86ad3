/** Options of drawing that people know of llama.cpp and koboldcpp: the same names where there are any. */
import { type Command, InvalidArgumentError } from 'commander'
import { type OptionRow, type OptionRows, PROMPT_OPTIONS } from '../../../src/for-apps.ts'
import type { PromptOptions } from '../../../src/index.ts'
import { engineFlag } from './engine-flags.ts'
import { collect, unescaped } from './parsers.ts'

export interface DrawingFlags {
  typicalP?: number
  topNSigma?: number
  temperatureLast?: boolean
  dynatempRange?: number
  dynatempExponent?: number
  mirostatTau?: number
  mirostatEta?: number
  xtcProbability?: number
  xtcThreshold?: number
  dryMultiplier?: number
  dryBase?: number
  dryAllowedLength?: number
  dryLastN?: number
  drySequenceBreaker?: string[]
  logitBias?: Record<string, number>
  ban?: string[]
  minTokens?: number
  thinkingBudget?: number
}

/** Names of the flags above whose value is the option's. */
const PLAIN = ['typicalP', 'topNSigma', 'temperatureLast', 'minTokens', 'thinkingBudget', 'logitBias'] as const

/** Options with fields: of each field the flag's name. */
const NESTED = {
  dynamicTemperature: { range: 'dynatempRange', exponent: 'dynatempExponent' },
  mirostat: { tau: 'mirostatTau', eta: 'mirostatEta' },
  xtc: { probability: 'xtcProbability', threshold: 'xtcThreshold' },
  dry: {
    multiplier: 'dryMultiplier',
    base: 'dryBase',
    allowedLength: 'dryAllowedLength',
    lastN: 'dryLastN',
    sequenceBreakers: 'drySequenceBreaker',
  },
} as const

const TEXTS = 'may be given again'

export function addDrawingOptions(command: Command): Command {
  const group = 'Further options of drawing (docs/sampling.md):'
  const { bannedTexts, logitBias, typicalP, topNSigma, temperatureLast, minTokens, thinkingBudget } = PROMPT_OPTIONS
  for (const row of [minTokens, thinkingBudget]) command.addOption(engineFlag(row, { group }))
  const banned = `${bannedTexts.description}; ${TEXTS}`
  command
    .addOption(engineFlag(bannedTexts, { group, description: banned, parse: unescaped }).argParser(collect(unescaped)))
    .addOption(
      engineFlag(logitBias, {
        group,
        description: `${logitBias.description}; a token's id or text; ${TEXTS}`,
        parse: unescaped,
      }).argParser(addBias),
    )
  for (const row of [typicalP, topNSigma, temperatureLast]) command.addOption(engineFlag(row, { group }))
  for (const name of Object.keys(NESTED) as (keyof typeof NESTED)[]) {
    for (const row of Object.values(fieldsOf(PROMPT_OPTIONS[name]))) {
      const isList = row.kind.kind === 'list'
      const option = engineFlag(row, { group, ...(isList && { parse: unescaped }) })
      command.addOption(isList ? option.argParser(collect(unescaped)) : option)
    }
  }
  return command
}

export function toDrawing(flags: DrawingFlags): PromptOptions {
  const plain = PLAIN.map(name => [name, flags[name]] as const)
  const nested = Object.entries(NESTED).map(([option, fields]) => {
    const given = Object.entries(fields).filter(([, flag]) => flags[flag as keyof DrawingFlags] !== undefined)
    const value = Object.fromEntries(given.map(([field, flag]) => [field, flags[flag as keyof DrawingFlags]]))
    return [option, given.length > 0 ? value : undefined] as const
  })
  const all = [...plain, ...nested, ['bannedTexts', flags.ban] as const]
  return Object.fromEntries(all.filter(([, value]) => value !== undefined))
}

function fieldsOf({ kind }: OptionRow): OptionRows {
  return kind.kind === 'options' ? kind.of : {}
}

/** `464=-2`, ` the=1.5`, `=====3`, `</s>=-inf`: the last `=` parts the token from the number. */
function addBias(text: string, before: Record<string, number> = {}): Record<string, number> {
  const at = text.lastIndexOf('=')
  const number = text.slice(at + 1)
  const bias = /^-inf(inity)?$/i.test(number) ? Number.NEGATIVE_INFINITY : Number(number)
  if (at < 1 || number.trim() === '' || Number.isNaN(bias)) {
    throw new InvalidArgumentError('Expected a token and a number, such as 464=-2 or " the=-inf".')
  }
  return { ...before, [unescaped(text.slice(0, at))]: bias }
}
