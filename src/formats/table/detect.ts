import type { FormatName } from './format.ts'

/** What is known of a model's format. */
export interface FormatHints {
  /** Source of the chat template. */
  readonly template?: string | undefined
  /** Texts of the tokenizer's added tokens. */
  readonly addedTokens?: readonly string[]
  /** `model_type` of config.json. */
  readonly modelType?: string | undefined
}

type Rule = readonly [FormatName, (text: string) => boolean]

/** By what a template writes; the first that holds. */
const TEMPLATES: readonly Rule[] = [
  ['deepseek-v3.2', text => text.includes('｜DSML｜')],
  ['deepseek-v3', text => text.includes('<｜tool▁calls▁begin｜>') && text.includes('```json')],
  ['deepseek-v3.1', text => text.includes('<｜tool▁calls▁begin｜>')],
  ['kimi-k2', text => text.includes('<|tool_calls_section_begin|>')],
  ['gpt-oss', text => text.includes('<|channel|>') && text.includes('<|message|>')],
  ['gemma-4', text => text.includes('<|tool_call>') && text.includes('<|"|>')],
  ['longcat-2601', text => text.includes('<longcat_arg_key>')],
  ['longcat', text => text.includes('<longcat_tool_call>')],
  ['minicpm3', text => text.includes('<|tool_call_start|>') && /<\|thought_start\|>|```python/.test(text)],
  ['lfm2', text => /<\|tool_call_start\|>\[|List of tools: (<\|tool_list_start\|>)?\[/.test(text)],
  ['youtu', text => text.includes('<|begin_of_tool_description|>')],
  [
    'glm-4.5',
    text => text.includes('<arg_key>') && /<tool_call>\{function-name\}(\s*\n|\\n)|\\n<tool_call>'/.test(text),
  ],
  ['glm-4.7', text => text.includes('<arg_key>')],
  ['qwen3-coder', text => text.includes('<function=') && text.includes('<parameter=')],
  ['hunyuan', text => text.includes('<tool_calls>') && text.includes('<answer>')],
  ['hermes', text => text.includes('<tool_call>') && /["']?arguments["']?/.test(text)],
  ['phi-4', text => text.includes('<|/tool_call|>') || text.includes('<|/tool|>')],
  ['granite', text => text.includes('<|tool_call|>') && text.includes('<|start_of_role|>')],
  ['kimi-vl', text => text.includes('◁think▷')],
  ['gigachat3.1', text => text.includes('<|function_call|>') && text.includes('<|role_sep|>')],
  // What it tells models of tools: it has no other words for calls.
  ['glm-4', text => text.includes('请使用 Json 格式表示调用的参数')],
  ['mistral', text => text.includes('[TOOL_CALLS]') && text.includes('[ARGS]')],
  ['gigachat3', text => text.includes('<|role_sep|>')],
  ['llama-3', text => text.includes('<|start_header_id|>') && /python_tag|ipython|"parameters"/.test(text)],
  ['gemma', text => text.includes('<start_of_turn>')],
]

/** By the tokenizer's added tokens. */
const TOKENS: readonly Rule[] = [
  ['gpt-oss', text => text.includes('<|channel|>') && text.includes('<|constrain|>')],
  ['gemma-4', text => text.includes('<|tool_call>')],
  ['longcat', text => text.includes('<longcat_tool_call>')],
  ['kimi-k2', text => text.includes('<|tool_calls_section_begin|>')],
  ['deepseek-v3', text => text.includes('<｜tool▁calls▁begin｜>')],
  ['minicpm3', text => text.includes('<|tool_call_start|>') && text.includes('<|thought_start|>')],
  ['lfm2', text => text.includes('<|tool_call_start|>')],
  ['youtu', text => text.includes('<|begin_of_tool_description|>')],
  ['glm-4.7', text => text.includes('<arg_key>')],
  ['hermes', text => text.includes('<tool_call>')],
  ['phi-4', text => text.includes('<|/tool_call|>')],
  ['granite', text => text.includes('<|tool_call|>') && text.includes('<|start_of_role|>')],
  ['mistral', text => text.includes('[TOOL_CALLS]') && text.includes('[ARGS]')],
  ['llama-3', text => text.includes('<|python_tag|>')],
  ['gemma', text => text.includes('<start_of_turn>')],
]

const MODEL_TYPES: Readonly<Record<string, FormatName>> = {
  deepseek_v2: 'deepseek-v2',
  deepseek_v3: 'deepseek-v3',
  deepseek_v32: 'deepseek-v3.2',
  kimi_k2: 'kimi-k2',
  kimi_k25: 'kimi-k2',
  kimi_linear: 'kimi-k2',
  kimi_vl: 'kimi-vl',
  glm4: 'glm-4',
  glm4_moe: 'glm-4.5',
  glm4_moe_lite: 'glm-4.7',
  glm_moe_dsa: 'glm-4.7',
  bailing_hybrid: 'glm-4.5',
  longcat_flash: 'longcat',
  minicpm3: 'minicpm3',
  youtu_llm: 'youtu',
  youtu: 'youtu',
  qwen2: 'hermes',
  qwen3: 'hermes',
  qwen2_moe: 'hermes',
  qwen3_moe: 'hermes',
  qwen3_next: 'hermes',
  qwen3_5: 'qwen3-coder',
  qwen3_5_text: 'qwen3-coder',
  qwen3_5_moe: 'qwen3-coder',
  qwen3_5_moe_text: 'qwen3-coder',
  smollm3: 'hermes',
  ministral3: 'mistral',
  mistral4: 'mistral',
  gemma: 'gemma',
  gemma2: 'gemma',
  gemma3: 'gemma',
  gemma3_text: 'gemma',
  gemma4: 'gemma-4',
  gemma4_text: 'gemma-4',
  gpt_oss: 'gpt-oss',
  lfm2: 'lfm2',
  granite: 'granite',
  hunyuan_v1_dense: 'hunyuan',
}

/**
 * The format of a model: what its template writes decides, then its tokens, then its type. A template that writes no calls
 * decides nothing: the model may have learned them all the same. Unknown: `generic`.
 */
export function detectFormat({ template = '', addedTokens = [], modelType = '' }: FormatHints): FormatName {
  const tokens = addedTokens.join('\n')
  const byTemplate = first(TEMPLATES, template)
  // What only the template's turns say is less than the model's own tokens or type.
  if (byTemplate !== undefined && byTemplate !== 'gemma') return byTemplate
  const type = MODEL_TYPES[modelType]
  // Two families of DeepSeek share tokens; the older one was not trained with them.
  if (type === 'deepseek-v2') return type
  const byTokens = first(TOKENS, tokens)
  // Models of others have that type too (Moonlight, GigaChat3): their tokens are not DeepSeek's.
  if (byTokens === undefined && type === 'deepseek-v3' && addedTokens.length > 0) return byTemplate ?? 'generic'
  return byTokens ?? type ?? byTemplate ?? 'generic'
}

function first(rules: readonly Rule[], text: string): FormatName | undefined {
  return rules.find(([, holds]) => holds(text))?.[0]
}
