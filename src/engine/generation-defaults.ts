import { ConfigReader } from '../checkpoint/config-reader.ts'
import type { ModelConfig } from '../model/config.ts'
import type { SamplingOptions } from './options.ts'

export interface GenerationDefaults {
  readonly sampling: SamplingOptions
  /** Tokens that end a text. */
  readonly eosTokenIds: readonly number[]
}

/**
 * What a model's generation_config.json says where the caller says nothing. `do_sample: false` means greedy, and then
 * the other settings of sampling do not count. Throws ConfigError.
 */
export function generationDefaults(config: ModelConfig, generationConfig: unknown, file: string): GenerationDefaults {
  if (generationConfig === undefined) return { sampling: {}, eosTokenIds: config.eosTokenIds }
  const reader = new ConfigReader(generationConfig, file)
  const given = reader.raw('eos_token_id')
  const eos = Array.isArray(given) ? reader.ints('eos_token_id') : [reader.optionalInt('eos_token_id')]
  const repetitionPenalty = reader.optionalNumber('repetition_penalty', { min: 0, exclusiveMin: true })
  const samples = reader.optionalBool('do_sample') !== false
  const temperature = samples ? reader.optionalNumber('temperature', { min: 0 }) : 0
  const topP = samples ? reader.optionalNumber('top_p', { min: 0, max: 1 }) : undefined
  const topK = samples ? reader.optionalInt('top_k', { min: -1 }) : undefined
  return {
    sampling: {
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { topP }),
      // -1 is vLLM's way to say off.
      ...(topK !== undefined && { topK: Math.max(topK, 0) }),
      ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    },
    eosTokenIds: [...new Set([...config.eosTokenIds, ...eos.filter(id => id !== undefined)])],
  }
}
