/** Options of what a text is held to. */
import type { Command } from 'commander'
import { PROMPT_OPTIONS } from '../../../src/for-apps.ts'
import type { JsonSchema, PromptOptions } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import { readTextFile } from '../text-input.ts'
import { engineFlag } from './engine-flags.ts'
import { collect } from './parsers.ts'

export interface OutputFlags {
  schema?: string
  jsonOutput?: boolean
  regex?: string
  choice?: string[]
  grammar?: string
}

export function addOutputOptions(command: Command): Command {
  const group = 'Form of the text:'
  const { schema, json, regex, choices, grammar } = PROMPT_OPTIONS
  return command
    .addOption(
      engineFlag(schema, { group, description: 'JSON that satisfies the JSON schema in this file', parse: String }),
    )
    .addOption(engineFlag(json, { group }))
    .addOption(engineFlag(regex, { group, parse: String }))
    .addOption(
      engineFlag(choices, { group, description: 'one of these texts; give it once for each', parse: String }).argParser(
        collect(String),
      ),
    )
    .addOption(
      engineFlag(grammar, { group, description: 'a text of the grammar in this file (Lark or GBNF)', parse: String }),
    )
}

/** Throws UsageError for a schema that is not JSON, and what reading a file does. */
export async function toOutput(
  flags: OutputFlags,
): Promise<Pick<PromptOptions, 'schema' | 'json' | 'regex' | 'choices' | 'grammar'>> {
  const { schema, jsonOutput, regex, choice, grammar } = flags
  return {
    ...(schema !== undefined && { schema: parsed(await textOf(schema), schema) }),
    ...(jsonOutput && { json: true }),
    ...(regex !== undefined && { regex }),
    ...(choice && { choices: choice }),
    ...(grammar !== undefined && { grammar: await textOf(grammar) }),
  }
}

const textOf = async (file: string): Promise<string> => new TextDecoder().decode(await readTextFile(file))

function parsed(text: string, file: string): JsonSchema {
  try {
    return JSON.parse(text) as JsonSchema
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`)
  }
}
