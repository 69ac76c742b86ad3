import type { FormatName } from '../../src/formats/table/format.ts'

/** A family of models: how it writes, and its published templates, which render what its models are trained to write. */
export interface Family {
  readonly name: string
  readonly format: FormatName
  /** None: no package brings one; what the format writes stands in. */
  readonly templates: readonly string[]
}

export const FAMILIES: readonly Family[] = [
  {
    name: 'DeepSeek V2',
    format: 'deepseek-v2',
    templates: ['axolotl/deepseek_v2'],
  },
  {
    name: 'DeepSeek V3',
    format: 'deepseek-v3',
    templates: ['ollama/deepseek-v2.5:236b', 'ollama/deepseek-v3:671b', 'trl/deepseekv3'],
  },
  {
    name: 'DeepSeek R1',
    format: 'deepseek-v3',
    templates: [
      'ollama/deepseek-r1:latest',
      'llama-cpp-python/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B',
      'llama-cpp-python/llama-cpp-deepseek-r1',
    ],
  },
  {
    name: 'DeepSeek V3.1',
    format: 'deepseek-v3.1',
    templates: ['llama-cpp-python/deepseek-ai-DeepSeek-V3.1', 'ollama/deepseek-v3.1:latest'],
  },
  {
    name: 'DeepSeek V3.2',
    format: 'deepseek-v3.2',
    templates: ['llama-cpp-python/deepseek-ai-DeepSeek-V3.2', 'llama-cpp-python/deepseek-ai-DeepSeek-V4'],
  },
  {
    name: 'Kimi-K2',
    format: 'kimi-k2',
    templates: [
      'llama-cpp-python/moonshotai-Kimi-K2',
      'llama-cpp-python/Kimi-K2-Instruct',
      'llama-cpp-python/Kimi-K2-Thinking',
    ],
  },
  { name: 'GLM-4.5', format: 'glm-4.5', templates: ['llama-cpp-python/GLM-4.6', 'trl/glm4moe'] },
  { name: 'GLM-4.7', format: 'glm-4.7', templates: ['llama-cpp-python/GLM-4.7-Flash'] },
  {
    name: 'Qwen 2',
    format: 'hermes',
    templates: ['llama-cpp-python/Qwen-Qwen2.5-7B-Instruct', 'ollama/qwen2.5-coder:1.5b'],
  },
  {
    name: 'Qwen 3',
    format: 'hermes',
    templates: ['llama-cpp-python/Qwen-Qwen3-0.6B', 'llama-cpp-python/Qwen-QwQ-32B', 'trl/qwen3_instruct_2507'],
  },
  {
    name: 'Qwen Coder',
    format: 'qwen3-coder',
    templates: ['llama-cpp-python/Qwen3-Coder', 'llama-cpp-python/Qwen3.5-4B', 'ollama/qwen3-coder:30b'],
  },
  {
    name: 'Llama 3',
    format: 'llama-3',
    templates: [
      'llama-cpp-python/meta-llama-Llama-3.1-8B-Instruct',
      'llama-cpp-python/meta-llama-Llama-3.2-3B-Instruct',
      'ollama/llama3.1:8b',
    ],
  },
  {
    name: 'Hermes',
    format: 'hermes',
    templates: ['llama-cpp-python/NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use', 'ollama/hermes3:70b'],
  },
  { name: 'MiniCPM3', format: 'minicpm3', templates: [] },
  { name: 'Youtu', format: 'youtu', templates: [] },
  {
    name: 'Gemma',
    format: 'gemma',
    templates: ['ollama/gemma3:270m', 'llama-cpp-python/google-gemma-2-2b-it', 'trl/gemma3'],
  },
  {
    name: 'Mistral',
    format: 'mistral',
    templates: [
      'llama-cpp-python/mistralai-Ministral-3-14B-Reasoning-2512',
      'llama-cpp-python/unsloth-mistral-Devstral-Small-2507',
    ],
  },
  {
    name: 'gpt-oss',
    format: 'gpt-oss',
    templates: ['llama-cpp-python/openai-gpt-oss-120b', 'trl/gptoss_training'],
  },
  {
    name: 'Gemma 4',
    format: 'gemma-4',
    templates: [
      'llama-cpp-python/google-gemma-4-31B-it',
      'llama-cpp-python/google-gemma-4-31B-it-interleaved',
      'trl/gemma4_v5',
    ],
  },
  { name: 'LFM2', format: 'lfm2', templates: ['trl/lfm2_v2', 'trl/lfm2_2_5_v2'] },
  {
    name: 'Granite 3',
    format: 'granite',
    templates: ['llama-cpp-python/ibm-granite-granite-3.3-2B-Instruct', 'ollama/granite3.1-moe:1b'],
  },
  { name: 'Granite 4', format: 'hermes', templates: ['llama-cpp-python/ibm-granite-granite-4.0'] },
  { name: 'Phi-4-mini', format: 'phi-4', templates: ['ollama/phi4-mini:3.8b'] },
  { name: 'Ling 3.0', format: 'glm-4.5', templates: ['llama-cpp-python/inclusionai-ling-3.0-flash'] },
  { name: 'SmolLM3', format: 'hermes', templates: ['llama-cpp-python/HuggingFaceTB-SmolLM3-3B'] },
  { name: 'Mistral Small 3.2', format: 'mistral', templates: ['llama-cpp-python/Mistral-Small-3.2-24B-Instruct-2506'] },
  { name: 'GLM-4', format: 'glm-4', templates: [] },
  { name: 'GigaChat 3', format: 'gigachat3', templates: ['llama-cpp-python/GigaChat3-10B-A1.8B'] },
  { name: 'GigaChat 3.1', format: 'gigachat3.1', templates: ['llama-cpp-python/GigaChat3.1-10B-A1.8B'] },
  { name: 'Hunyuan', format: 'hunyuan', templates: [] },
  { name: 'LongCat', format: 'longcat', templates: [] },
  { name: 'LongCat 2601', format: 'longcat-2601', templates: [] },
  { name: 'Kimi-VL', format: 'kimi-vl', templates: [] },
  { name: 'generic JSON', format: 'generic', templates: ['ollama/smollm2:135m', 'axolotl/chatml'] },
]
