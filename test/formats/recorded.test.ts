import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chatFormat } from '../../src/formats/index.ts'
import { readReply } from '../../src/formats/read/reply.ts'
import type { FormatName } from '../../src/formats/table/format.ts'
import { writeCalls } from '../../src/formats/table/write-calls.ts'
import { ANSWERS, TOOLS, type Written, writer } from './answers.ts'
import { inParts } from './in-parts.ts'

/** Published templates of each family, that render what a model is trained to write. */
const RECORDED: readonly (readonly [FormatName, string])[] = [
  ['deepseek-v2', 'axolotl/deepseek_v2'],
  ['deepseek-v3', 'ollama/deepseek-v2.5:236b'],
  ['deepseek-v3', 'ollama/deepseek-v3:671b'],
  ['deepseek-v3', 'ollama/deepseek-r1:latest'],
  ['deepseek-v3', 'trl/deepseekv3'],
  ['deepseek-v3.1', 'llama-cpp-python/deepseek-ai-DeepSeek-V3.1'],
  ['deepseek-v3.1', 'ollama/deepseek-v3.1:latest'],
  ['deepseek-v3.2', 'llama-cpp-python/deepseek-ai-DeepSeek-V3.2'],
  ['deepseek-v3.2', 'llama-cpp-python/deepseek-ai-DeepSeek-V4'],
  ['kimi-k2', 'llama-cpp-python/moonshotai-Kimi-K2'],
  ['kimi-k2', 'llama-cpp-python/Kimi-K2-Thinking'],
  ['glm-4.5', 'llama-cpp-python/GLM-4.6'],
  ['glm-4.5', 'trl/glm4moe'],
  ['glm-4.7', 'llama-cpp-python/GLM-4.7-Flash'],
  ['hermes', 'llama-cpp-python/Qwen-Qwen2.5-7B-Instruct'],
  ['hermes', 'llama-cpp-python/Qwen-Qwen3-0.6B'],
  ['hermes', 'llama-cpp-python/Qwen-QwQ-32B'],
  ['hermes', 'llama-cpp-python/NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use'],
  ['qwen3-coder', 'llama-cpp-python/Qwen3-Coder'],
  ['qwen3-coder', 'llama-cpp-python/Qwen3.5-4B'],
  ['llama-3', 'llama-cpp-python/meta-llama-Llama-3.1-8B-Instruct'],
  ['llama-3', 'llama-cpp-python/meta-llama-Llama-3.2-3B-Instruct'],
  ['gemma', 'ollama/gemma3:270m'],
  ['generic', 'ollama/smollm2:135m'],
]

describe.each(RECORDED)('%s by %s', (name, template) => {
  const format = chatFormat(name)
  const write = writer(template, format)

  test.each(ANSWERS.map((answer, i) => [i, answer] as const))('answer %i is read as it was meant', (_, answer) => {
    // Where calls have no mark of their own, they are the whole answer.
    if (answer.content && answer.toolCalls && ['llama-3', 'generic', 'gemma', 'deepseek-v2'].includes(name)) return
    // Llama's template shows one call per message.
    if (name === 'llama-3' && (answer.toolCalls?.length ?? 0) > 1) return
    // DeepSeek-V3's template closes the calls after each but the first.
    if (template.startsWith('ollama/deepseek-v') && name === 'deepseek-v3' && answer.toolCalls?.length === 3) return
    const written = write(answer)
    expectRead(name, written, answer)
  })
})

describe.each(['minicpm3', 'youtu'] as const)('%s, which no package has a template of', name => {
  const format = chatFormat(name)
  test.each(ANSWERS.map((answer, i) => [i, answer] as const))('answer %i is read as it was meant', (_, answer) => {
    const { begin, end } = format.reasoning
    const thought = answer.reasoning ? `${begin}\n${answer.reasoning}\n${end}\n` : ''
    const calls = answer.toolCalls ? writeCalls(format, answer.toolCalls) : ''
    const text = `${thought}${answer.content ?? ''}${calls}`
    expectRead(name, { text, prompt: 'none', reasoning: answer.reasoning ?? '' }, answer)
  })
})

function expectRead(name: FormatName, written: Written, answer: (typeof ANSWERS)[number]): void {
  const options = { format: chatFormat(name), tools: TOOLS, prompt: written.prompt }
  const reply = readReply(written.text, options)
  expect(
    { ...reply, toolCalls: reply.toolCalls.map(({ name, arguments: given, complete }) => ({ name, given, complete })) },
    written.text,
  ).toEqual({
    reasoning: written.reasoning,
    content: answer.content ?? '',
    toolCalls: (answer.toolCalls ?? []).map(({ name, arguments: given }) => ({ name, given, complete: true })),
  })
  for (const size of [1, 2, 3, 5, 8]) expect(inParts(written.text, options, size)).toEqual(reply)
  fc.assert(
    fc.property(fc.array(fc.nat(written.text.length), { maxLength: 6 }), cuts => {
      expect(inParts(written.text, options, cuts)).toEqual(reply)
    }),
    { numRuns: 5 },
  )
}
