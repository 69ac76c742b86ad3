/** How long a model is to reason, as APIs ask for it. */
import type { ReasoningEffort } from '../../../src/index.ts'
import { invalid } from '../failure.ts'
import type { ChatInput } from './ask.ts'

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high'] as const satisfies readonly ReasoningEffort[]

/** OpenAI's and Anthropic's efforts above `high`, which no template knows. */
const ABOVE: readonly string[] = ['xhigh', 'max']

/** Throws Failure naming the field for what is no effort. */
export function readEffort(given: string, where: string): ReasoningEffort {
  const known = ABOVE.includes(given) ? 'high' : EFFORTS.find(effort => effort === given)
  if (known) return known
  throw invalid(`${where} is ${JSON.stringify(given)}; expected one of ${[...EFFORTS, ...ABOVE].join(', ')}`, where)
}

/** What templates call it: how much is their own choice. */
const THINKS = { enable_thinking: true, thinking: true }

/** Whether the model thinks before it answers; undefined: as its template says. */
export function readThinks(thinks: boolean | undefined): Pick<ChatInput, 'templateVariables' | 'reasoningEffort'> {
  if (thinks === undefined) return {}
  return thinks ? { templateVariables: THINKS } : { reasoningEffort: 'none' }
}
