/** Options of tools that the model may call. */
import { type Command, InvalidArgumentError } from 'commander'
import type { ChatOptions, ChatTool, ToolChoice } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import { readTextFile } from '../text-input.ts'
import { collect } from './parsers.ts'

export interface ToolFlags {
  tools?: string
  toolChoice?: ToolChoice
  /** False for --no-parallel. */
  parallel: boolean
}

export interface McpFlags {
  mcp?: string[]
  mcpAllow?: string[]
}

export type Tools = NonNullable<ChatOptions['tools']>

const GROUP = 'Tools:'

export function addToolOptions(command: Command): Command {
  return command
    .addOption(
      command
        .createOption(
          '--tools <file>',
          "tools that the model may call, as JSON: OpenAI's list, or { name: { description, parameters } }",
        )
        .helpGroup(GROUP),
    )
    .addOption(
      command
        .createOption('--tool-choice <choice>', 'auto, required, none, or the name of the tool to call (default: auto)')
        .argParser(toolChoice)
        .helpGroup(GROUP),
    )
    .addOption(command.createOption('--no-parallel', 'one call per answer').helpGroup(GROUP))
}

/** null: the model may call nothing. Throws UsageError for a choice that is none of the tools. */
export function toKit(tools: Tools | null, { toolChoice: choice, parallel }: ToolFlags): ToolKit | null {
  if (tools === null) return null
  const names = Object.keys(toolsByName(tools))
  if (typeof choice === 'object' && !names.includes(choice.name)) {
    const there = names.join(', ') || 'none'
    throw new UsageError(`--tool-choice names ${choice.name}, which is no tool here; there are ${there}`)
  }
  return { tools, parallel, ...(choice && { choice }) }
}

export function addMcpOptions(command: Command): Command {
  return command
    .addOption(
      command
        .createOption('--mcp <command|url>', 'tools of an MCP server, a program or an address; may be given again')
        .argParser(collect(String))
        .helpGroup(GROUP),
    )
    .addOption(
      command
        .createOption(
          '--mcp-allow <name>',
          'call this tool of an MCP server without asking; all: any of them; may be given again',
        )
        .argParser(collect(String))
        .helpGroup(GROUP),
    )
}

function toolChoice(text: string): ToolChoice {
  if (text === '') throw new InvalidArgumentError('Expected auto, required, none, or the name of a tool.')
  return text === 'auto' || text === 'required' || text === 'none' ? text : { name: text }
}

/** What the model may call. */
export interface ToolKit {
  readonly tools: Tools
  readonly choice?: ToolChoice
  /** Several calls in one answer. */
  readonly parallel: boolean
}

/** The tools of a file, checked where they are used; null: no file is given. Throws UsageError. */
export async function toTools({ tools: file }: ToolFlags): Promise<Tools | null> {
  if (file === undefined) return null
  const text = new TextDecoder().decode(await readTextFile(file))
  let tools: unknown
  try {
    tools = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`)
  }
  if (typeof tools !== 'object' || tools === null) {
    throw new UsageError(
      `${file} has no tools; expected a list in OpenAI's form, or { name: { description, parameters } }`,
    )
  }
  return tools as Tools
}

/** Tools of either form as an object, to be joined with others; what is wrong with one is found where they are used. */
export function toolsByName(tools: Tools): Readonly<Record<string, ChatTool>> {
  if (!Array.isArray(tools)) return tools as Readonly<Record<string, ChatTool>>
  const list = tools as readonly { readonly function?: ChatTool & { readonly name?: string } }[]
  return Object.fromEntries(list.map(tool => [tool?.function?.name ?? '', tool?.function as ChatTool]))
}
