import type { AnswerTimings, TokenCounts } from './events.ts'

/** llama.cpp's numbers. */
export function timingsOf(
  { prompt, cached, completion, drafted, accepted }: TokenCounts,
  { promptMs, generationMs, draftSpeedUp }: AnswerTimings,
) {
  const read = prompt - cached
  return {
    cache_n: cached,
    prompt_n: read,
    prompt_ms: round(promptMs),
    prompt_per_token_ms: round(promptMs / Math.max(1, read)),
    prompt_per_second: round(promptMs > 0 ? (read / promptMs) * 1000 : 0),
    predicted_n: completion,
    predicted_ms: round(generationMs),
    predicted_per_token_ms: round(generationMs / Math.max(1, completion - 1)),
    predicted_per_second: round(generationMs > 0 ? ((completion - 1) / generationMs) * 1000 : 0),
    ...(drafted > 0 && { draft_n: drafted, draft_n_accepted: accepted }),
    ...(draftSpeedUp !== undefined && { draft_speed_up: round(draftSpeedUp) }),
  }
}

const round = (value: number) => Math.round(value * 1000) / 1000
