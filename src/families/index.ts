/** All families, and which of them a config.json belongs to. */
import type { ConfigReader } from '../checkpoint/config-reader.ts'
import { quote } from '../checkpoint/quote.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'
import { bert, roberta } from './bert/config.ts'
import * as bertTraits from './bert/traits.ts'
import { deepseekV2, deepseekV3 } from './deepseek/config.ts'
import * as deepseekTraits from './deepseek/traits.ts'
import { describe } from './describe/describe.ts'
import { falcon } from './falcon/config.ts'
import * as falconTraits from './falcon/traits.ts'
import type { Family } from './family.ts'
import { gemma3 } from './gemma3/config.ts'
import * as gemma3Traits from './gemma3/traits.ts'
import { gpt, gpt2 } from './gpt/config.ts'
import * as gptTraits from './gpt/traits.ts'
import { llama, mistral, qwen2, qwen3 } from './llama/config.ts'
import * as llamaTraits from './llama/traits.ts'
import { minicpm3 } from './minicpm3/config.ts'
import * as minicpm3Traits from './minicpm3/traits.ts'
import { nomicBert } from './nomic-bert/config.ts'
import * as nomicBertTraits from './nomic-bert/traits.ts'
import { PLANNED } from './planned.ts'
import type { FamilyTraits } from './traits.ts'
import { youtu } from './youtu/config.ts'
import * as youtuTraits from './youtu/traits.ts'

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
  bert,
  roberta,
  nomicBert,
]

/** What is known of sizes alone: of the families above, and of those that are only planned. Apart, for small bundles. */
const DESCRIBED: readonly FamilyTraits[] = [
  ...Object.values(deepseekTraits),
  ...Object.values(minicpm3Traits),
  ...Object.values(youtuTraits),
  ...Object.values(llamaTraits),
  ...Object.values(gemma3Traits),
  ...Object.values(falconTraits),
  ...Object.values(gptTraits),
  ...Object.values(bertTraits),
  ...Object.values(nomicBertTraits),
  ...PLANNED,
]

/** Undefined for a family that is not known. */
export function traitsOf(modelType: string): FamilyTraits | undefined {
  return DESCRIBED.find(family => family.modelTypes.includes(modelType))
}

function familyOf(raw: ConfigReader): Family {
  const modelType = raw.string('model_type')
  const family = FAMILIES.find(f => f.traits.modelTypes.includes(modelType))
  if (family) return family
  const known = FAMILIES.flatMap(f => f.traits.modelTypes).join(', ')
  throw new UnsupportedModelError(`${raw.file}: ${whyNot(raw, modelType)} latentkit runs ${known}.`)
}

/** What a config.json says of a model that is run here. Throws UnsupportedModelError or ConfigError. */
export function readModel(raw: ConfigReader): { readonly family: Family; readonly config: ModelConfig } {
  const family = familyOf(raw)
  return { family, config: family.config(raw, describe(raw, raw.string('model_type'), family.traits)) }
}

export function parseConfig(raw: ConfigReader): ModelConfig {
  return readModel(raw).config
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
