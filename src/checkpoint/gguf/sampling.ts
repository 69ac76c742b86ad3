import type { JsonObject } from '../json-file.ts'
import type { Metadata } from './metadata.ts'

/** Keys of the settings that a model's authors want its tokens drawn with, by generation_config.json's names. */
export const SAMPLING_KEYS = {
  temperature: 'general.sampling.temp',
  top_k: 'general.sampling.top_k',
  top_p: 'general.sampling.top_p',
  min_p: 'general.sampling.min_p',
  repetition_penalty: 'general.sampling.penalty_repeat',
} as const

/** What a file says of them, as generation_config.json would; undefined: nothing. */
export function generationConfigOf(metadata: Metadata): JsonObject | undefined {
  const named = Object.entries(SAMPLING_KEYS).flatMap(([name, key]) => {
    const value = metadata.raw(key)
    return value === undefined ? [] : [[name, typeof value === 'bigint' ? Number(value) : value]]
  })
  return named.length > 0 ? Object.fromEntries(named) : undefined
}
