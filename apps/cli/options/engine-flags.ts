/** Command-line flags of the engine's options. Names, ranges and descriptions come from the option tables. */
import { type Command, Option } from 'commander'
import {
  EMBED_OPTIONS,
  LATENTIFY_OPTIONS,
  LOAD_OPTIONS,
  type OptionRow,
  type OptionRows,
  PROMPT_OPTIONS,
  TOKENIZER_OPTIONS,
  TRAIN_OPTIONS,
} from '../../../src/for-apps.ts'
import { ofKind, type Parser } from './parsers.ts'

export interface FlagWords<T = unknown> {
  readonly group: string
  /** Default: the table's description. */
  readonly description?: string
  readonly defaultText?: string
  /** Default: the table's kind and range. */
  readonly parse?: Parser<T>
}

export function engineFlag(
  row: OptionRow,
  { group, description = row.description, defaultText = row.defaultText, parse }: FlagWords,
) {
  if (row.flag === undefined) throw new Error(`the option that "${row.description}" has no flag`)
  const option = new Option(
    row.flag,
    defaultText === undefined ? description : `${description} (default: ${defaultText})`,
  )
  if (parse) option.argParser(parse)
  else if (row.flag.includes('<')) option.argParser(ofKind(row.kind))
  return option.helpGroup(group)
}

/** The flags of all rows that have one, in their order; `words` by an option's name where a flag says more. */
export function addFlags(
  command: Command,
  rows: OptionRows,
  {
    group,
    words = {},
  }: { readonly group: string; readonly words?: Readonly<Record<string, Omit<FlagWords, 'group'>>> },
): Command {
  for (const [name, row] of Object.entries(rows)) {
    if (row.flag !== undefined) command.addOption(engineFlag(row, { group, ...words[name] }))
  }
  return command
}

/** The options whose flags were given, by the options' names; of an option with fields those that were. */
export function givenOptions<T extends object>(rows: OptionRows, flags: object): T {
  const values = flags as Readonly<Record<string, unknown>>
  const given = Object.entries(rows).map(([name, { flag, kind }]) => {
    if (kind.kind !== 'options') return [name, flag && values[new Option(flag).attributeName()]] as const
    const fields: object = givenOptions(kind.of, flags)
    return [name, Object.keys(fields).length > 0 ? fields : undefined] as const
  })
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as T
}

/** The flag of an option: `--max-tokens` for maxTokens, `--beams` for beams.width. */
export const FLAG_NAMES: Readonly<Record<string, string>> = {
  ...names(LOAD_OPTIONS),
  ...names(PROMPT_OPTIONS),
  ...names(EMBED_OPTIONS),
  ...names(TRAIN_OPTIONS),
  ...names(LATENTIFY_OPTIONS),
  ...names(TOKENIZER_OPTIONS),
  beams: '--beams',
  n: '--n',
  bestOf: '--best-of',
  // Of `perplexity`.
  stride: '--stride',
  window: '--window',
  windows: '--windows',
  // Of `plan`.
  activeWeightBytes: '--active-weights',
  batch: '--batch',
  blockTokens: '--block',
  context: '--context',
  dataParallel: '--dp',
  memoryBytes: '--memory',
  pipelineParallel: '--pp',
  tensorParallel: '--tp',
}

function names(rows: OptionRows, before = ''): Record<string, string> {
  const made: Record<string, string> = {}
  for (const [name, { flag, kind }] of Object.entries(rows)) {
    if (flag !== undefined) made[before + name] = flag.split(' ')[0] as string
    if (kind.kind === 'options') Object.assign(made, names(kind.of, `${name}.`))
  }
  return made
}
