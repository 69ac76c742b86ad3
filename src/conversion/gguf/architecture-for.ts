import { UnsupportedModelError } from '../../errors.ts'
import type { ArchitectureName } from '../../families/gguf/index.ts'

/** By `model_type`. */
const BY_MODEL_TYPE: Readonly<Record<string, ArchitectureName>> = {
  deepseek_v2: 'deepseek2',
  deepseek_v3: 'deepseek2',
  kimi_k2: 'deepseek2',
  glm4_moe_lite: 'deepseek2',
  youtu: 'deepseek2',
  youtu_llm: 'deepseek2',
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gemma3_text: 'gemma3',
  minicpm3: 'minicpm3',
  falcon: 'falcon',
  RefinedWebModel: 'falcon',
  gpt2: 'gpt2',
}

/** llama.cpp's architecture for a model of the hub. */
export function architectureFor(modelType: string): ArchitectureName {
  const found = Object.hasOwn(BY_MODEL_TYPE, modelType) ? BY_MODEL_TYPE[modelType] : undefined
  if (found) return found
  throw new UnsupportedModelError(
    `A model of type ${JSON.stringify(modelType)} has no architecture in GGUF; there are ${Object.keys(BY_MODEL_TYPE).join(', ')}`,
  )
}
