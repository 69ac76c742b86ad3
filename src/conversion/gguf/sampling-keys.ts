import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import { SAMPLING_KEYS } from '../../checkpoint/gguf/sampling.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'

/** What generation_config.json says of drawing, as llama.cpp's converter writes it. Greedy is temperature 0. */
export function addSamplingKeys(keys: GgufKeys, config: JsonObject = {}): void {
  const { top_k, ...others } = SAMPLING_KEYS
  if (config.do_sample === false) {
    keys.f32(SAMPLING_KEYS.temperature, 0)
    keys.f32(SAMPLING_KEYS.repetition_penalty, number(config.repetition_penalty))
    return
  }
  for (const [name, key] of Object.entries(others)) keys.f32(key, number(config[name]))
  const k = number(config.top_k)
  if (Number.isInteger(k)) keys.i32(top_k, k)
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
