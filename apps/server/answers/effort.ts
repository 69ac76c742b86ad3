/** How long a model is to reason, as APIs ask for it. */
import type { ReasoningEffort } from '../../../src/index.ts'

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high'] as const satisfies readonly ReasoningEffort[]

/** OpenAI and Anthropic have efforts above `high`, which no template knows. */
export function readEffort(given: string): ReasoningEffort {
  return EFFORTS.find(effort => effort === given) ?? 'high'
}
