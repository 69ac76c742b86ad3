/** Tools, choices among them and calls, as APIs have them on the wire. */
import type { ChatTool, ToolChoice } from '../../../src/index.ts'
import { invalid } from '../failure.ts'
import type { ChatInput } from './ask.ts'

export type Tools = Readonly<Record<string, ChatTool>>

/** A tool, whatever an API calls its fields. */
export interface WireTool {
  /** The field that has its name. */
  readonly where: string
  /** Of one that is no function of the client's: its type. */
  readonly foreign?: string | null | undefined
  readonly name?: string | null | undefined
  readonly description?: string | null | undefined
  readonly parameters?: Readonly<Record<string, unknown>> | null | undefined
  readonly strict?: boolean | null | undefined
}

const CHOICE = 'tool_choice'

/**
 * By name; those that are no functions are left out, as agents send such beside theirs. Throws Failure for one without a name, and for
 * two of one name.
 */
export function readTools(given: readonly WireTool[]): { readonly tools: Tools; readonly ignored: readonly string[] } {
  const tools = new Map<string, ChatTool>()
  const ignored: string[] = []
  for (const { where, foreign, name, description, parameters, strict } of given) {
    if (foreign) {
      ignored.push(foreign)
      continue
    }
    if (!name) throw invalid(`${where} is missing; expected the tool's name`, where)
    if (tools.has(name)) throw invalid(`${where} is ${JSON.stringify(name)}, as an earlier one's`, where)
    tools.set(name, {
      ...(description && { description }),
      ...(parameters && { parameters }),
      ...(strict && { strict }),
    })
  }
  return { tools: Object.fromEntries(tools), ignored }
}

/** What a conversation may call: nothing where there are no tools. Throws Failure for a choice of what is not there. */
export function readCalls(
  tools: Tools,
  choice: ToolChoice | undefined,
  parallel?: boolean | null,
): Pick<ChatInput, 'tools' | 'toolChoice' | 'parallel'> {
  const isEmpty = Object.keys(tools).length === 0
  if (typeof choice === 'object') toolOf(tools, choice.name)
  if (choice === 'required' && isEmpty) {
    throw invalid(`${CHOICE} asks for a call, but there are no tools that are functions`, CHOICE)
  }
  if (isEmpty) return {}
  // Who names one tool wants one call.
  return {
    tools,
    ...(choice !== undefined && { toolChoice: choice }),
    parallel: parallel ?? typeof choice !== 'object',
  }
}

/** The tool that a choice names. Throws Failure where there is none. */
export function toolOf(tools: Tools, name: string): ChatTool {
  const tool = Object.hasOwn(tools, name) ? tools[name] : undefined
  if (tool) return tool
  const names = Object.keys(tools).join(', ') || 'no function: there is none'
  throw invalid(`${CHOICE} names ${JSON.stringify(name)}; expected one of ${names}`, CHOICE)
}

/** The id of the call that a result answers; `calls`: those before it. Throws Failure naming the field. */
export function readCallId(id: unknown, calls: ReadonlySet<string>, where: string): string {
  // Some servers give calls an empty id, which their clients send back.
  if (typeof id === 'string' && calls.has(id)) return id
  if (typeof id !== 'string' || id === '') throw invalid(`${where} is missing; expected the id of a call`, where)
  const known =
    calls.size === 0
      ? 'nothing before it is a call'
      : `calls before it are ${[...calls].map(one => JSON.stringify(one)).join(', ')}`
  throw invalid(`${where} is ${JSON.stringify(id)}, which no call has; ${known}`, where)
}

/** Of a call in a history. What a model cut off may be no JSON: then it is as if it had no arguments, which is better than no answer for ever. */
export function readArguments(given: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = typeof given === 'string' ? JSON.parse(given) : given
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
