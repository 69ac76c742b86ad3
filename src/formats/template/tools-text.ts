import type { ToolDescription } from '../messages.ts'
import type { ChatFormat } from '../table/format.ts'
import { jsonText, writeCalls } from '../table/write-calls.ts'
import type { TemplateTool } from './render.ts'

const NO_ARGUMENTS = { type: 'object', properties: {} }

export function templateTool({ name, description = '', parameters = NO_ARGUMENTS }: ToolDescription): TemplateTool {
  return { type: 'function', function: { name, description, parameters } }
}

const EXAMPLE = [{ id: 'call:0', name: 'function_name', arguments: { argument_name: 'value' } }]

/** What the system message says of the tools where the template shows none. */
export function toolsText(format: ChatFormat, tools: readonly ToolDescription[]): string {
  const shown = tools.map(tool => jsonText(templateTool(tool).function)).join('\n')
  const example = writeCalls(format, EXAMPLE).trim()
  const isAnswer = example.startsWith('{"tool_calls"')
  const otherwise = isAnswer
    ? 'To answer without calling a function, write this JSON and nothing else:\n{"response": "your answer"}'
    : 'If no function helps, answer without calling one.'
  return (
    `# Tools\n\nYou can call these functions. Each line describes one, with a JSON schema of its arguments:\n${shown}\n\n` +
    `To call a function, write ${isAnswer ? 'this JSON and nothing else' : 'exactly this form, and nothing after it'}:\n` +
    `${example}\n\n${otherwise}`
  )
}
