/** All families, and which of them a config.json belongs to. */
import type { ConfigReader } from '../checkpoint/config-reader.ts'
import type { JsonObject } from '../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'
import { axk1 } from './axk1/config.ts'
import { axk1Layers } from './axk1/layers.ts'
import * as axk1Traits from './axk1/traits.ts'
import { axk2 } from './axk2/config.ts'
import { axk2Layers } from './axk2/layers.ts'
import * as axk2Traits from './axk2/traits.ts'
import { bailingHybrid } from './bailing-hybrid/config.ts'
import { bailingHybridLayers } from './bailing-hybrid/layers.ts'
import * as bailingHybridTraits from './bailing-hybrid/traits.ts'
import { bert, roberta } from './bert/config.ts'
import * as bertTraits from './bert/traits.ts'
import { deepseekV2, deepseekV3 } from './deepseek/config.ts'
import * as deepseekTraits from './deepseek/traits.ts'
import { deepseekV32, glmMoeDsa } from './deepseek-v32/config.ts'
import * as deepseekV32Traits from './deepseek-v32/traits.ts'
import { describe } from './describe/describe.ts'
import type { LayerVariant } from './describe/variants.ts'
import type { ModelDescriptor } from './descriptor.ts'
import { ernie45 } from './ernie4-5/config.ts'
import * as ernie45Traits from './ernie4-5/traits.ts'
import { falcon } from './falcon/config.ts'
import * as falconTraits from './falcon/traits.ts'
import type { Family } from './family.ts'
import { gemma3 } from './gemma3/config.ts'
import * as gemma3Traits from './gemma3/traits.ts'
import { gemma4 } from './gemma4/config.ts'
import { gemma4Layers } from './gemma4/layers.ts'
import * as gemma4Traits from './gemma4/traits.ts'
import { glm4 } from './glm4/config.ts'
import * as glm4Traits from './glm4/traits.ts'
import { gpt, gpt2 } from './gpt/config.ts'
import * as gptTraits from './gpt/traits.ts'
import { gptOss } from './gpt-oss/config.ts'
import * as gptOssTraits from './gpt-oss/traits.ts'
import { granite } from './granite/config.ts'
import * as graniteTraits from './granite/traits.ts'
import { hunyuanDense } from './hunyuan/config.ts'
import * as hunyuanDenseTraits from './hunyuan/traits.ts'
import { kimiLinear } from './kimi-linear/config.ts'
import { kimiLinearLayers } from './kimi-linear/layers.ts'
import * as kimiLinearTraits from './kimi-linear/traits.ts'
import { lfm2 } from './lfm2/config.ts'
import { lfm2Layers } from './lfm2/layers.ts'
import * as lfm2Traits from './lfm2/traits.ts'
import { llama, mistral, qwen2, qwen3 } from './llama/config.ts'
import * as llamaTraits from './llama/traits.ts'
import { longcatFlash } from './longcat-flash/config.ts'
import { longcatFlashLayers } from './longcat-flash/layers.ts'
import * as longcatFlashTraits from './longcat-flash/traits.ts'
import { marian } from './marian/config.ts'
import * as marianTraits from './marian/traits.ts'
import { minicpm3 } from './minicpm3/config.ts'
import * as minicpm3Traits from './minicpm3/traits.ts'
import { ministral3 } from './ministral3/config.ts'
import * as ministral3Traits from './ministral3/traits.ts'
import { mistral4 } from './mistral4/config.ts'
import * as mistral4Traits from './mistral4/traits.ts'
import { whyNot } from './nearest.ts'
import { nomicBert } from './nomic-bert/config.ts'
import * as nomicBertTraits from './nomic-bert/traits.ts'
import { olmo2 } from './olmo2/config.ts'
import { olmo2Layers } from './olmo2/layers.ts'
import * as olmo2Traits from './olmo2/traits.ts'
import { phi3 } from './phi3/config.ts'
import * as phi3Traits from './phi3/traits.ts'
import { PLANNED } from './planned.ts'
import { qwen3Next, qwen35, qwen35Moe } from './qwen3-5/config.ts'
import { qwenLayers } from './qwen3-5/layers.ts'
import * as qwen35Traits from './qwen3-5/traits.ts'
import { qwen3Moe } from './qwen3-moe/config.ts'
import * as qwen3MoeTraits from './qwen3-moe/traits.ts'
import { sarvamMla } from './sarvam-mla/config.ts'
import * as sarvamMlaTraits from './sarvam-mla/traits.ts'
import { smollm3 } from './smollm3/config.ts'
import * as smollm3Traits from './smollm3/traits.ts'
import { mt5, t5 } from './t5/config.ts'
import * as t5Traits from './t5/traits.ts'
import type { FamilyTraits } from './traits.ts'
import { youtu } from './youtu/config.ts'
import * as youtuTraits from './youtu/traits.ts'

export const FAMILIES: readonly Family[] = [
  deepseekV2,
  deepseekV3,
  deepseekV32,
  glmMoeDsa,
  axk2,
  minicpm3,
  youtu,
  sarvamMla,
  mistral4,
  axk1,
  kimiLinear,
  bailingHybrid,
  longcatFlash,
  llama,
  mistral,
  ministral3,
  qwen2,
  qwen3,
  qwen3Moe,
  qwen35,
  qwen35Moe,
  qwen3Next,
  smollm3,
  granite,
  olmo2,
  glm4,
  phi3,
  ernie45,
  hunyuanDense,
  gptOss,
  lfm2,
  gemma3,
  gemma4,
  falcon,
  gpt2,
  gpt,
  bert,
  roberta,
  nomicBert,
  marian,
  t5,
  mt5,
]

/** What is known of sizes alone: of the families above, and of those that are only planned. Apart, for small bundles. */
const DESCRIBED: readonly FamilyTraits[] = [
  ...Object.values(deepseekTraits),
  ...Object.values(deepseekV32Traits),
  ...Object.values(minicpm3Traits),
  ...Object.values(youtuTraits),
  ...Object.values(llamaTraits),
  ...Object.values(axk1Traits),
  ...Object.values(axk2Traits),
  ...Object.values(kimiLinearTraits),
  ...Object.values(bailingHybridTraits),
  ...Object.values(ernie45Traits),
  ...Object.values(glm4Traits),
  ...Object.values(graniteTraits),
  ...Object.values(hunyuanDenseTraits),
  ...Object.values(lfm2Traits),
  ...Object.values(longcatFlashTraits),
  ...Object.values(olmo2Traits),
  ...Object.values(phi3Traits),
  ...Object.values(qwen3MoeTraits),
  ...Object.values(qwen35Traits),
  ...Object.values(sarvamMlaTraits),
  ...Object.values(smollm3Traits),
  ...Object.values(ministral3Traits),
  ...Object.values(mistral4Traits),
  ...Object.values(gptOssTraits),
  ...Object.values(gemma3Traits),
  ...Object.values(gemma4Traits),
  ...Object.values(falconTraits),
  ...Object.values(gptTraits),
  ...Object.values(bertTraits),
  ...Object.values(nomicBertTraits),
  ...Object.values(marianTraits),
  ...Object.values(t5Traits),
  ...PLANNED,
]

/** What is known of layers beside that: of the few families that have a `layers.ts`. */
const VARIANTS: readonly LayerVariant[] = [
  axk1Layers,
  axk2Layers,
  bailingHybridLayers,
  gemma4Layers,
  kimiLinearLayers,
  lfm2Layers,
  longcatFlashLayers,
  olmo2Layers,
  qwenLayers,
]

/** Undefined for a family that is not known. */
export function traitsOf(modelType: string): FamilyTraits | undefined {
  return DESCRIBED.find(family => family.modelTypes.includes(modelType))
}

function variantOf(modelType: string): LayerVariant | undefined {
  return VARIANTS.find(({ modelTypes }) => modelTypes.includes(modelType))
}

/** Fields of a config.json that mean something in this family only. */
export function ownFields(modelType: string): readonly string[] {
  return variantOf(modelType)?.fields ?? []
}

/** `text_config` of a model that sees or hears, with what transformers' class of the language model fills in. */
export function completeText(text: JsonObject, modelType: string): JsonObject {
  return { ...traitsOf(modelType)?.inside, ...text }
}

/** What a config.json says of a model, also of one that is not run here. Throws ConfigError or UnsupportedModelError. */
export function describeModel(raw: ConfigReader, modelType: string): ModelDescriptor {
  return describe(raw, modelType, traitsOf(modelType), variantOf(modelType))
}

function familyOf(raw: ConfigReader): Family {
  const modelType = raw.string('model_type')
  const family = FAMILIES.find(f => f.traits.modelTypes.includes(modelType))
  if (family) return family
  const running = FAMILIES.flatMap(({ traits, names }) => {
    const latent = 'keyValueDown' in names.attention
    return traits.modelTypes.map(type => ({ type, latent }))
  })
  const known = running.map(({ type }) => type).join(', ')
  throw new UnsupportedModelError(`${raw.file}: ${whyNot(raw, modelType, running)}; latentkit runs ${known}.`)
}

/** What a config.json says of a model that is run here. Throws UnsupportedModelError or ConfigError. */
export function readModel(raw: ConfigReader): { readonly family: Family; readonly config: ModelConfig } {
  const family = familyOf(raw)
  return { family, config: family.config(raw, describeModel(raw, raw.string('model_type'))) }
}

export function parseConfig(raw: ConfigReader): ModelConfig {
  return readModel(raw).config
}
