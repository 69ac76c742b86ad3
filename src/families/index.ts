/** All families, and which of them a config.json belongs to. */
import type { ConfigReader } from '../checkpoint/config-reader.ts'
import { quote } from '../checkpoint/quote.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'
import { deepseekV2, deepseekV3 } from './deepseek/config.ts'
import { falcon } from './falcon/config.ts'
import type { Family } from './family.ts'
import { gemma3 } from './gemma3/config.ts'
import { gpt, gpt2 } from './gpt/config.ts'
import { llama, mistral, qwen2, qwen3 } from './llama/config.ts'
import { minicpm3 } from './minicpm3/config.ts'
import { youtu } from './youtu/config.ts'

export const FAMILIES: readonly Family[] = [
  deepseekV2,
  deepseekV3,
  minicpm3,
  youtu,
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma3,
  falcon,
  gpt2,
  gpt,
]

export function familyOf(raw: ConfigReader): Family {
  const modelType = raw.string('model_type')
  const family = FAMILIES.find(f => f.modelTypes.includes(modelType))
  if (family) return family
  const known = FAMILIES.flatMap(f => f.modelTypes).join(', ')
  throw new UnsupportedModelError(`${raw.file}: ${whyNot(raw, modelType)} latentkit runs ${known}.`)
}

/** The model a config.json describes. Throws UnsupportedModelError or ConfigError. */
export function parseConfig(raw: ConfigReader): ModelConfig {
  return familyOf(raw).config(raw)
}

function whyNot(raw: ConfigReader, modelType: string): string {
  const name = quote(modelType, 60)
  if (raw.has('compress_ratios') || modelType === 'deepseek_v4') {
    return `${name} has no kv_lora_rank but compressed sparse attention, which is another architecture;`
  }
  if (raw.has('index_topk')) return `${name} selects keys with a sparse indexer, which is not supported;`
  if (raw.has('kv_lora_rank') && raw.has('qk_rope_head_dim')) {
    return `${name} has multi-head latent attention, but the rest of its architecture is not known here;`
  }
  if (raw.optionalBool('is_encoder_decoder')) return `${name} is an encoder-decoder, which is not supported;`
  return `model_type ${name} is not supported;`
}
