/** What chat and generate have in common: options of drawing, format, thinking. */
import type { Ask, AskOptions, ChatInput } from '../answers/ask.ts'
import { readThinks } from '../answers/effort.ts'
import { readKnobs } from '../answers/knobs.ts'
import { refuseFields } from '../answers/refused.ts'
import { invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { readKeepAlive } from './keep-alive.ts'
import type { Asked } from './request.ts'

/** Throws Failure naming the field. */
export function readQuestion(body: Asked, input: Ask['input']): Question {
  refuseFields(body)
  return { model: body.model, input, options: readOptions(body), keepAlive: readKeepAlive(body.keep_alive) }
}

function readOptions({ options, format, logprobs, top_logprobs: top }: Asked): AskOptions {
  const { num_predict: most, ...drawing } = options ?? {}
  refuseFields(drawing)
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

export function readThink(think: Asked['think']): Pick<ChatInput, 'templateVariables' | 'reasoningEffort'> {
  if (think === null || think === undefined) return {}
  if (typeof think === 'boolean') return readThinks(think)
  const level = LEVELS.find(one => one === think)
  if (level) return { reasoningEffort: level }
  throw invalid(`think is ${JSON.stringify(think)}; expected true, false, "low", "medium" or "high"`, 'think')
}

export function refuseImages(images: readonly unknown[] | null | undefined, where: string): void {
  if (images && images.length > 0) {
    throw invalid(`${where} has ${images.length}; this server reads text only`, where, 'unsupported_content')
  }
}
