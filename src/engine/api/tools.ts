/** Tools as a caller gives them. */
import { OptionError } from '../../errors.ts'
import type { ToolChoice } from '../../formats/index.ts'
import { SchemaError } from '../../grammar/errors.ts'
import { nearest } from '../../options/nearest.ts'
import { plainData, readable } from '../../options/plain-data.ts'
import { show } from '../../options/show.ts'
import type { Conversation } from '../types/chat.ts'
import type { ChatTool } from '../types/options/chat.ts'
import { notCompiled } from './output.ts'

export type Tools = Readonly<Record<string, ChatTool>>

const TOOL_NAME = /^[\w.-]{1,64}$/

/** Checked, and copied but for their functions. Throws OptionError. */
export function readTools(given: unknown): Tools {
  if (given === undefined) return {}
  return readable('tools', () => {
    if (typeof given !== 'object' || given === null) {
      throw new OptionError(`tools is ${show(given)}; expected an object of tools by their names, or a list of them`)
    }
    const named = Array.isArray(given) ? readList(given) : Object.entries(given)
    return Object.fromEntries(named.map(([name, tool]) => [name, readTool(name, tool)]))
  })
}

/** Of a list in OpenAI's form. */
function readList(given: readonly unknown[]): [string, unknown][] {
  const names = new Set<string>()
  return given.map((entry, i) => {
    const { type, function: tool } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
      string,
      unknown
    >
    if (type !== 'function' || typeof tool !== 'object' || tool === null) {
      const met = type === undefined || type === 'function' ? show(entry) : `of type ${show(type)}`
      throw new OptionError(
        `tools[${i}] is ${met}; expected { type: "function", function: { name, description, parameters } }`,
      )
    }
    const name = Reflect.get(tool, 'name') as unknown
    if (typeof name !== 'string') throw new OptionError(`tools[${i}].function.name is ${show(name)}; expected a text`)
    if (names.has(name)) throw new OptionError(`tools has ${show(name)} twice; expected names that differ`)
    names.add(name)
    return [name, tool]
  })
}

function readTool(name: string, given: unknown): ChatTool {
  if (!TOOL_NAME.test(name)) {
    throw new OptionError(`tools has the name ${show(name)}; expected up to 64 letters, digits, "_", "-" and "."`)
  }
  if (typeof given !== 'object' || given === null) {
    throw new OptionError(`tools.${name} is ${show(given)}; expected { description, parameters, execute }`)
  }
  const { execute } = given as ChatTool
  // What is null is not given: clients write it so.
  const {
    description = null,
    parameters = null,
    strict = null,
  } = given as { [K in keyof ChatTool]: ChatTool[K] | null }
  if (description !== null && typeof description !== 'string') {
    throw new OptionError(`tools.${name}.description is ${show(description)}; expected a text`)
  }
  if (parameters !== null && (typeof parameters !== 'object' || Array.isArray(parameters))) {
    throw new OptionError(`tools.${name}.parameters is ${show(parameters)}; expected a JSON schema, an object`)
  }
  const { type = 'object' } = (parameters ?? {}) as { readonly type?: unknown }
  if (type !== 'object') {
    throw new OptionError(`tools.${name}.parameters.type is ${show(type)}; expected "object": arguments have names`)
  }
  if (strict !== null && typeof strict !== 'boolean') {
    throw new OptionError(`tools.${name}.strict is ${show(strict)}; expected true or false`)
  }
  if (execute !== undefined && typeof execute !== 'function') {
    throw new OptionError(`tools.${name}.execute is ${show(execute)}; expected a function`)
  }
  return {
    ...(description !== null && { description }),
    ...(parameters && { parameters: plainData(parameters, `tools.${name}.parameters`) as Record<string, unknown> }),
    ...(strict && { strict }),
    ...(execute && { execute: execute.bind(given) }),
  }
}

/** What the model and its grammar need of them. */
export function describedTools(tools: Tools): Conversation['tools'] {
  return Object.entries(tools).map(([name, { execute: _, ...described }]) => ({ name, ...described }))
}

/** Throws OptionError for a choice that is none, or that names no tool. */
export function readToolChoice(choice: unknown, tools: Tools): ToolChoice {
  if (choice === undefined || choice === 'auto') return 'auto'
  if (choice === 'none' || choice === 'required') return choice
  const name: unknown = typeof choice === 'object' && choice !== null ? Reflect.get(choice, 'name') : undefined
  if (typeof name === 'string' && Object.hasOwn(tools, name)) return { name }
  if (typeof name === 'string') {
    const names = Object.keys(tools)
    const near = nearest(name, names)
    const met = `toolChoice names ${show(name)}, which is not among the tools (${names.join(', ') || 'none'})`
    throw new OptionError(near === undefined ? met : `${met}; did you mean ${near}?`)
  }
  throw new OptionError(
    `toolChoice is ${show(choice)}; expected 'auto', 'required', 'none', or { name } of one of the tools`,
  )
}

/** Longest result: no context holds more, and cutting it into tokens would take seconds. */
const MAX_CHARACTERS = 500_000

/** What the model is given of a result: a text as it is, anything else as JSON. Throws for what is neither. */
export function resultText(result: unknown, name: string): string {
  if (result instanceof Error) throw result
  const text = typeof result === 'string' ? result : jsonOf(result, name)
  if (text.length <= MAX_CHARACTERS) return text
  throw new OptionError(
    `the result of ${name} has ${text.length} characters; expected at most ${MAX_CHARACTERS}: ask for less of it`,
  )
}

function jsonOf(result: unknown, name: string): string {
  if (result === undefined) return ''
  const writesItself = typeof result === 'object' && result !== null && 'toJSON' in result
  return JSON.stringify(writesItself ? result : plainData(result, `the result of ${name}`))
}

/** Why the grammar of calls that are forced cannot be compiled, by the tools that it is of; undefined: it is another error. */
export function explainCalls(error: unknown, tools: Tools, choice: ToolChoice): SchemaError | undefined {
  const reason = choice === 'required' || typeof choice === 'object' ? notCompiled(error) : null
  if (reason === null) return undefined
  const names = typeof choice === 'object' ? [choice.name] : Object.keys(tools)
  const [only] = names
  const whose = names.length === 1 ? `${only}` : `one of the tools ${names.join(', ')}`
  const what = /unsatisfiable/i.test(reason) ? 'are satisfied by no value' : 'cannot be held'
  const short = reason.replace(/(?:\s|\\u000a)+/g, ' ').slice(0, 300)
  return new SchemaError(`The parameters of ${whose} ${what}: ${short}`, {
    ...{ keyword: '', path: names.length === 1 ? `/${only}` : '' },
    cause: error,
  })
}
