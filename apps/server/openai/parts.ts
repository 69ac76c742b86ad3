/** Pieces that chat.completions and completions have in common. */
import type { EndReason, TokenCounts } from '../answers/events.ts'

const FINISH: Readonly<Record<EndReason, string>> = {
  stop: 'stop',
  length: 'length',
  context: 'length',
  calls: 'tool_calls',
}

export const finishReason = (reason: EndReason): string => FINISH[reason]

export function usageOf({ prompt, cached, completion, reasoning }: TokenCounts) {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}
