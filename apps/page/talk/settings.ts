import { isObject, list, object, parse, text } from '../wire/json.ts'

/**
 * What a conversation asks of the model besides its messages. Numbers are texts as typed: empty leaves the choice to the
 * model or the server.
 */
export interface Settings {
  system: string
  temperature: string
  topP: string
  topK: string
  minP: string
  repetitionPenalty: string
  presencePenalty: string
  frequencyPenalty: string
  maxTokens: string
  seed: string
  /** One text per line. */
  stop: string
  /** '' leaves it to the model. */
  reasoning: '' | 'none' | 'low' | 'medium' | 'high'
  /** JSON: an array of tools in OpenAI's format, or of functions. */
  tools: string
  toolChoice: '' | 'none' | 'required'
  /** JSON: an object whose fields go into the request as they are. */
  more: string
}

export const NO_SETTINGS: Settings = {
  ...{ system: '', temperature: '', topP: '', topK: '', minP: '', repetitionPenalty: '', presencePenalty: '' },
  ...{ frequencyPenalty: '', maxTokens: '', seed: '', stop: '', reasoning: '', tools: '', toolChoice: '', more: '' },
}

type NumberSetting = {
  [K in keyof Settings]: string extends Settings[K] ? K : never
}[keyof Settings]

export interface NumberField {
  setting: Exclude<NumberSetting, 'system' | 'stop' | 'tools' | 'more'>
  /** Its name in the request. */
  name: string
  label: string
  hint: string
  min?: number
  max?: number
  whole?: boolean
}

export const NUMBER_FIELDS: readonly NumberField[] = [
  {
    setting: 'temperature',
    name: 'temperature',
    label: 'Temperature',
    hint: '0 always takes the likeliest token',
    min: 0,
  },
  { setting: 'topP', name: 'top_p', label: 'Top P', hint: 'tokens that make up this share', min: 0, max: 1 },
  { setting: 'topK', name: 'top_k', label: 'Top K', hint: 'so many tokens at most', min: 0, whole: true },
  { setting: 'minP', name: 'min_p', label: 'Min P', hint: 'relative to the likeliest token', min: 0, max: 1 },
  {
    ...{ setting: 'repetitionPenalty', name: 'repetition_penalty', label: 'Repetition penalty' },
    ...{ hint: '1 is none', min: 0 },
  },
  { setting: 'presencePenalty', name: 'presence_penalty', label: 'Presence penalty', hint: '-2 to 2', min: -2, max: 2 },
  {
    setting: 'frequencyPenalty',
    name: 'frequency_penalty',
    label: 'Frequency penalty',
    hint: '-2 to 2',
    min: -2,
    max: 2,
  },
  { setting: 'maxTokens', name: 'max_tokens', label: 'Longest answer', hint: 'in tokens', min: 1, whole: true },
  { setting: 'seed', name: 'seed', label: 'Seed', hint: 'the same seed, the same answer', min: 0, whole: true },
]

/** What is wrong with a number as typed, or undefined. */
export function numberProblem(field: NumberField, typed: string): string | undefined {
  if (typed.trim() === '') return undefined
  const value = Number(typed)
  if (!Number.isFinite(value)) return 'This is not a number.'
  if (field.whole && !Number.isInteger(value)) return 'This has to be a whole number.'
  if (field.min !== undefined && value < field.min) return `This has to be at least ${field.min}.`
  if (field.max !== undefined && value > field.max) return `This has to be at most ${field.max}.`
  return undefined
}

export function toolsProblem(typed: string): string | undefined {
  if (typed.trim() === '') return undefined
  const value = parse(typed)
  if (!Array.isArray(value)) return 'This has to be a JSON array of tools.'
  const nameless = value.findIndex(tool => text(functionOf(tool).name) === undefined)
  return nameless < 0 ? undefined : `Tool ${nameless + 1} has no name.`
}

export function moreProblem(typed: string): string | undefined {
  if (typed.trim() === '') return undefined
  return isObject(parse(typed)) ? undefined : 'This has to be a JSON object, such as {"top_n_sigma": 1}.'
}

/** The request's fields; what is not valid is left out, as the form has shown. */
export function requestFields(settings: Settings): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const field of NUMBER_FIELDS) {
    const typed = settings[field.setting]
    if (typed.trim() !== '' && numberProblem(field, typed) === undefined) fields[field.name] = Number(typed)
  }
  const stop = settings.stop.split('\n').filter(line => line !== '')
  if (stop.length > 0) fields.stop = stop
  if (settings.reasoning !== '') fields.reasoning_effort = settings.reasoning
  if (settings.tools.trim() !== '' && toolsProblem(settings.tools) === undefined) {
    const tools = list(parse(settings.tools)).map(tool => ({ type: 'function', function: functionOf(tool) }))
    if (tools.length > 0) {
      fields.tools = tools
      if (settings.toolChoice !== '') fields.tool_choice = settings.toolChoice
    }
  }
  return moreProblem(settings.more) === undefined ? { ...fields, ...object(parse(settings.more || '{}')) } : fields
}

/** Whether the settings would be sent as they are shown. */
export function settingsProblem(settings: Settings): string | undefined {
  const numbers = NUMBER_FIELDS.map(field => {
    const problem = numberProblem(field, settings[field.setting])
    return problem && `${field.label}: ${problem}`
  })
  const tools = toolsProblem(settings.tools)
  const more = moreProblem(settings.more)
  return [...numbers, tools && `Tools: ${tools}`, more && `Further fields: ${more}`].find(Boolean)
}

/** Settings of stored or imported data: unknown fields and wrong types are dropped. */
export function readSettings(value: unknown): Settings {
  const given = object(value)
  const known = Object.keys(NO_SETTINGS).flatMap(name => {
    const typed = text(given[name])
    return typed === undefined ? [] : [[name, typed]]
  })
  return { ...NO_SETTINGS, ...Object.fromEntries(known) }
}

function functionOf(tool: unknown): Record<string, unknown> {
  const given = object(tool)
  return given.type === 'function' && given.function !== undefined ? object(given.function) : given
}
