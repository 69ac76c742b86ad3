/** The lines of a batch: ours, `{ "id", "prompt" | "messages", …options }`, and OpenAI's, `{ "custom_id", "body" }`. */
import type { Message, PromptOptions } from '../../../src/index.ts'
import { CliError } from '../exit.ts'

export interface BatchRequest {
  readonly prompt: string | readonly Message[]
  readonly options: PromptOptions
}

/** OpenAI's names of options, and ours. */
const NAMES: Readonly<Record<string, string>> = {
  max_tokens: 'maxTokens',
  max_completion_tokens: 'maxTokens',
  top_p: 'topP',
  presence_penalty: 'presencePenalty',
  frequency_penalty: 'frequencyPenalty',
  logit_bias: 'logitBias',
}
/** Fields of OpenAI's body that say nothing of the text. */
const IGNORED = new Set(['model', 'user', 'metadata', 'store', 'stream'])

/** The id that the result of a line carries: the line's own, else null. */
export function idOf(line: unknown): string | number | null {
  if (!isObject(line)) return null
  const id = line.custom_id ?? line.id
  return typeof id === 'string' || typeof id === 'number' ? id : null
}

/** Throws CliError. Unknown options are the engine's to refuse. */
export function requestOf(line: unknown): BatchRequest {
  if (!isObject(line)) throw new CliError('the line is no object; expected {"prompt": …} or {"messages": […]}')
  const { id: _, custom_id: __, method: ___, url: ____, body, ...own } = line
  if (body !== undefined && !isObject(body)) throw new CliError('body is no object')
  const { prompt, messages, ...options } = body === undefined ? own : ours(body)
  if ((prompt === undefined) === (messages === undefined)) {
    throw new CliError('expected either "prompt" or "messages"')
  }
  return { prompt: (prompt ?? messages) as BatchRequest['prompt'], options: options as PromptOptions }
}

function ours(body: Record<string, unknown>): Record<string, unknown> {
  const { stop, ...rest } = body
  const named = Object.entries(rest)
    .filter(([name, value]) => !IGNORED.has(name) && value !== null)
    .map(([name, value]) => [NAMES[name] ?? name, value])
  return { ...Object.fromEntries(named), ...(stop != null && { stopSequences: [stop].flat() }) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
