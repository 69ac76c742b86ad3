/** What chat and generate have in common: options of drawing, format, thinking. */
import type { AskOptions, ChatInput } from '../answers/ask.ts'
import { readKnobs } from '../answers/knobs.ts'
import { invalid } from '../failure.ts'
import type { Asked } from './request.ts'

/** Throws Failure naming the field. */
export function readOptions({ options, format, logprobs, top_logprobs: top }: Asked): AskOptions {
  const { num_predict: most, ...drawing } = options ?? {}
  const knobs = readKnobs({ ...drawing, ...(most !== undefined && { n_predict: most }) })
  return { ...knobs, ...readFormat(format), ...(logprobs && { logprobs: top ?? 0 }) }
}

function readFormat(format: Asked['format']): AskOptions {
  if (format === null || format === undefined || format === '') return {}
  if (typeof format === 'object') return { schema: format }
  if (format === 'json') return { json: true }
  throw invalid(`format is ${JSON.stringify(format)}; expected "json" or a JSON schema`, 'format')
}

const LEVELS = ['low', 'medium', 'high'] as const

/** As variables of the template: those that families know by these names. */
export function readThink(think: Asked['think']): Pick<ChatInput, 'templateVariables'> {
  if (think === null || think === undefined) return {}
  const level = LEVELS.find(one => one === think)
  if (typeof think === 'string' && level === undefined) {
    throw invalid(`think is ${JSON.stringify(think)}; expected true, false, "low", "medium" or "high"`, 'think')
  }
  const on = think !== false
  return { templateVariables: { enable_thinking: on, thinking: on, ...(level && { reasoning_effort: level }) } }
}

export function refuseImages(images: readonly unknown[] | null | undefined, where: string): void {
  if (images && images.length > 0) {
    throw invalid(`${where} has ${images.length}; this server reads text only`, where, 'unsupported_content')
  }
}
