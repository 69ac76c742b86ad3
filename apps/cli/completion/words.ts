/** The words that can be completed: commands, their flags, and named values of flags. */
import type { Command, Option } from 'commander'
import { LOAD_OPTIONS, type OptionRow, PROMPT_OPTIONS } from '../../../src/for-apps.ts'

export interface CompletedFlag {
  /** With dashes: the long name, or the short one if there is no long one. */
  readonly name: string
  readonly description: string
  readonly takesValue: boolean
  /** Empty: any value, such as a file. */
  readonly values: readonly string[]
}

export interface CompletedCommand {
  readonly name: string
  readonly description: string
  readonly flags: readonly CompletedFlag[]
  readonly subcommands: readonly { readonly name: string; readonly description: string }[]
}

const HELP: CompletedFlag = { name: '--help', description: 'display help', takesValue: false, values: [] }

export function commandsOf(program: Command): CompletedCommand[] {
  return program.commands.map(command => ({
    name: command.name(),
    description: command.summary() || command.description(),
    flags: [...command.options.filter(o => !o.hidden).map(flagOf), HELP],
    subcommands: command.commands.map(sub => ({ name: sub.name(), description: sub.summary() || sub.description() })),
  }))
}

function flagOf(option: Option): CompletedFlag {
  const name = option.long ?? option.short ?? ''
  return {
    name,
    description: option.description.replace(/\s+/g, ' '),
    takesValue: option.required || option.optional,
    values: option.argChoices ?? VALUES.get(name) ?? [],
  }
}

/** The option tables list the possible values. */
const ROWS: readonly OptionRow[] = [...Object.values(LOAD_OPTIONS), ...Object.values(PROMPT_OPTIONS)]
const VALUES = new Map(
  ROWS.flatMap(({ flag, kind }) =>
    flag && kind.kind === 'choice' ? [[flag.split(' ')[0] as string, kind.of] as const] : [],
  ),
)
