/** Libraries that programs are built on, against the server: Vercel's AI SDK by its client of OpenAI's API, and LangChain. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { AIMessageChunk } from '@langchain/core/messages'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { dynamicTool, embedMany, generateText, jsonSchema, Output, streamText } from 'ai'
import { describe, expect, test } from 'vitest'
import { listening, MODEL, WEATHER } from './support.ts'

const { url } = await listening()
const baseURL = `${url}/v1`
const { name, description, parameters } = WEATHER.function
const CALL = { city: expect.stringMatching(/^(Bonn|Rom)$/), days: expect.any(Number) }
const PROMPT = 'Once upon a time'
const SAME = { seed: 7, maxRetries: 0 }

describe('the AI SDK', () => {
  const provider = createOpenAICompatible({
    ...{ name: 'latentkit', baseURL, includeUsage: true, supportsStructuredOutputs: true },
  })
  const model = provider(MODEL)
  const weather = dynamicTool({ description, inputSchema: jsonSchema(parameters as object), execute: () => 'rain' })

  test('streams a text, with its usage', async () => {
    const result = streamText({ ...SAME, model, prompt: PROMPT, maxOutputTokens: 12 })
    const parts: string[] = []
    for await (const part of result.textStream) parts.push(part)
    expect(parts.length).toBeGreaterThan(3)
    expect(parts.join('')).toBe(await result.text)
    expect(await result.usage).toMatchObject({ outputTokens: 12 })
    expect(await result.finishReason).toBe('length')
  })

  test('streams a call that it asks for by name', async () => {
    const toolChoice = { type: 'tool', toolName: 'weather' } as const
    const result = streamText({ ...SAME, model, prompt: PROMPT, tools: { weather }, toolChoice })
    const types = new Set<string>()
    for await (const part of result.fullStream) types.add(part.type)
    expect([...types]).toEqual(expect.arrayContaining(['tool-input-start', 'tool-input-delta', 'tool-call', 'finish']))
    expect(await result.toolCalls).toEqual([expect.objectContaining({ toolName: name, input: CALL })])
    expect(await result.finishReason).toBe('tool-calls')
  })

  test('gets an answer of a schema', async () => {
    const schema = jsonSchema<{ city: string; days: number }>(parameters as object)
    const { output } = await generateText({ ...SAME, model, prompt: PROMPT, output: Output.object({ schema }) })
    expect(output).toEqual(CALL)
  })

  test('embeds texts', async () => {
    const { embeddings } = await embedMany({ model: provider.embeddingModel(MODEL), values: ['a cat', 'a dog'] })
    expect(embeddings).toHaveLength(2)
    expect(embeddings[0]).not.toEqual(embeddings[1])
  })
})

describe('LangChain', () => {
  const settings = { model: MODEL, apiKey: 'any', configuration: { baseURL }, maxRetries: 0 }
  const model = new ChatOpenAI({ ...settings, modelKwargs: { seed: 7 } })

  test('streams a text, with its usage', async () => {
    const parts: string[] = []
    let usage: unknown
    for await (const part of await new ChatOpenAI({ ...settings, maxTokens: 12 }).stream(PROMPT)) {
      parts.push(String(part.content))
      usage = part.usage_metadata ?? usage
    }
    expect(parts.filter(part => part !== '').length).toBeGreaterThan(3)
    expect(usage).toMatchObject({ output_tokens: 12 })
  })

  test.each(['invoke', 'stream'] as const)('gets a call that it asks for by name: %s', async how => {
    const bound = model.bindTools([WEATHER], { tool_choice: name })
    if (how === 'invoke') {
      expect((await bound.invoke(PROMPT)).tool_calls).toEqual([expect.objectContaining({ name, args: CALL })])
      return
    }
    let whole: AIMessageChunk | undefined
    for await (const part of await bound.stream(PROMPT)) whole = whole?.concat(part) ?? part
    expect(whole?.tool_calls).toEqual([expect.objectContaining({ name, args: CALL })])
  })

  test('gets an answer of a schema', async () => {
    const bound = model.withStructuredOutput({ title: name, ...parameters }, { method: 'jsonSchema' })
    expect(await bound.invoke(PROMPT)).toEqual(CALL)
  })

  test('embeds texts', async () => {
    const [one, other] = await new OpenAIEmbeddings(settings).embedDocuments(['a cat', 'a dog'])
    expect(one?.length).toBe(other?.length)
    expect(one).not.toEqual(other)
  })
})
