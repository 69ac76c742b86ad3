/** The families' formats. Sources: their published chat templates (test/fixtures/templates); for MiniCPM3, Youtu, LongCat and Hunyuan,
 * of which no package has one, the parsers of vLLM, mlx-lm and ms-swift. */
import type { Around, ChatFormat, FormatName } from './format.ts'
import {
  DEEPSEEK_V3,
  DEEPSEEK_V31,
  GENERIC,
  GIGACHAT,
  GIGACHAT_31,
  GLM_4,
  HARMONY,
  KIMI,
  LLAMA,
  listed,
  MISTRAL,
  tagged,
} from './json-calls.ts'
import { DEEPSEEK_V32, GEMMA_4, glm, LFM2, MINICPM, QWEN_CODER } from './pair-calls.ts'
import { ANALYSIS, BRACKETS, LONGCAT, SQUARES, THINK, THOUGHT, THOUGHT_CHANNEL } from './reasoning-marks.ts'

const TOOL_RESPONSE = { begin: '<tool_response>\n', end: '\n</tool_response>' }
const LONGCAT_RESPONSE = { begin: '<longcat_tool_response>\n', end: '\n</longcat_tool_response>' }
const NAMED_RESULT = { begin: 'Result of NAME:\n', end: '' }
/** With the call's id, where the template shows none. */
const RESULT = { begin: 'Result of NAME (ID):\n', end: '' }

const DEEPSEEK_RESULT = {
  begin: '<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>',
  end: '<｜tool▁output▁end｜><｜tool▁outputs▁end｜>',
}

type Row = Omit<ChatFormat, 'name' | 'reasoning'> & { readonly reasoning?: Around }

const ROWS: Readonly<Record<FormatName, Row>> = {
  generic: { calls: GENERIC, result: RESULT },
  'deepseek-v2': { calls: GENERIC, result: RESULT },
  gemma: { calls: GENERIC, result: RESULT },
  'kimi-vl': { reasoning: SQUARES, calls: GENERIC, result: RESULT },
  'deepseek-v3': { calls: DEEPSEEK_V3, result: DEEPSEEK_RESULT },
  'deepseek-v3.1': {
    calls: DEEPSEEK_V31,
    result: { begin: '<｜tool▁output▁begin｜>', end: '<｜tool▁output▁end｜>' },
  },
  'deepseek-v3.2': {
    calls: DEEPSEEK_V32,
    result: { begin: '<function_results>\n<result>', end: '</result>\n</function_results>' },
  },
  'kimi-k2': { calls: KIMI, result: { begin: '## Return of ID\n', end: '' } },
  'glm-4.5': { calls: glm('\n'), result: TOOL_RESPONSE },
  'glm-4.7': { calls: glm(''), result: { begin: '<tool_response>', end: '</tool_response>' } },
  hermes: { calls: tagged('tool_call', '\n'), result: TOOL_RESPONSE },
  'qwen3-coder': { calls: QWEN_CODER, result: TOOL_RESPONSE },
  'llama-3': { calls: LLAMA, result: NAMED_RESULT },
  minicpm3: { reasoning: THOUGHT, calls: MINICPM, result: NAMED_RESULT },
  youtu: { calls: tagged('tool_call', ''), result: { begin: '<tool_response>', end: '</tool_response>' } },
  mistral: {
    reasoning: BRACKETS,
    calls: MISTRAL,
    result: { begin: '[TOOL_RESULTS]', end: '[/TOOL_RESULTS]' },
  },
  'gpt-oss': {
    reasoning: ANALYSIS,
    channels: { next: '<|start|>assistant', answer: '<|channel|>final<|message|>' },
    calls: HARMONY,
    result: NAMED_RESULT,
  },
  'gemma-4': {
    reasoning: THOUGHT_CHANNEL,
    calls: GEMMA_4,
    result: { begin: '<|tool_response>response:NAME{value:<|"|>', end: '<|"|>}<tool_response|>' },
  },
  lfm2: { calls: LFM2, result: { begin: '<|tool_response_start|>', end: '<|tool_response_end|>' } },
  granite: {
    answer: { begin: '<response>', end: '</response>' },
    calls: listed('<|tool_call|>', ''),
    result: NAMED_RESULT,
  },
  'phi-4': { calls: listed('<|tool_call|>', '<|/tool_call|>', ['functools']), result: NAMED_RESULT },
  hunyuan: {
    answer: { begin: '<answer>', end: '</answer>' },
    calls: listed('<tool_calls>', '</tool_calls>'),
    result: { begin: '<tool_responses><tool_response>', end: '</tool_response></tool_responses>' },
  },
  longcat: { reasoning: LONGCAT, calls: tagged('longcat_tool_call', '\n'), result: LONGCAT_RESPONSE },
  'glm-4': { calls: GLM_4, result: NAMED_RESULT },
  gigachat3: { calls: GIGACHAT, result: NAMED_RESULT },
  'gigachat3.1': { calls: GIGACHAT_31, result: NAMED_RESULT },
  'longcat-2601': { reasoning: LONGCAT, calls: glm('\n', 'longcat_'), result: LONGCAT_RESPONSE },
}

export function chatFormat(name: FormatName): ChatFormat {
  return { name, reasoning: THINK, ...ROWS[name] }
}
