/** The provider under the SDK itself: the newest for Node 20, and the newest. */
import { fileURLToPath } from 'node:url'
import * as ai6 from 'ai'
import * as ai7 from 'ai-7'
import { bundledModel, Engine } from 'latentkit'
import { createLatentkit } from 'latentkit/ai-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

const TEMPLATE =
  '{% for m in messages %}<{{ m.role }}> {{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<assistant> {% endif %}'
const THINKING = TEMPLATE.replace('<assistant> {%', '<assistant> {# </think> #}<think>{%')
const RERANKER = fileURLToPath(new URL('../fixtures/embeddings/bert-reranker', import.meta.url))

let engine: Engine
let thinker: Engine

beforeAll(async () => {
  engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
  thinker = await Engine.load(bundledModel(), { inline: true, chatTemplate: THINKING })
})
afterAll(async () => {
  await engine.dispose()
  await thinker.dispose()
})

const latentkit = () => createLatentkit({ engine })
const prompt = 'Once upon a time'
const drawn = { seed: 1, temperature: 1, maxOutputTokens: 24 }
/** One call in the form of Qwen's models. */
const hermes = { providerOptions: { latentkit: { format: 'hermes', parallel: false } } }

const person = z.object({ name: z.string().max(8), age: z.number().int().min(0).max(99) })

describe.each([
  ['ai 6', ai6],
  ['ai 7', ai7 as unknown as typeof ai6],
])('%s', (_, ai) => {
  const weather = (seen: unknown[] = []) =>
    ai.tool({
      description: 'The sky over a city',
      inputSchema: z.object({ city: z.enum(['Bonn', 'Rom']) }),
      execute: async input => {
        seen.push(input)
        return { sky: 'rain' }
      },
    })

  it('generateText gives what the engine gives, with its numbers', async () => {
    const result = await ai.generateText({ model: latentkit()(), prompt, ...drawn })
    const session = engine.session()
    const own = await session.chat([{ role: 'user', content: prompt }], { seed: 1, temperature: 1, maxTokens: 24 })
    await session.dispose()
    expect(result.text).toBe(own.content)
    expect(result.finishReason).toBe('length')
    expect(result.usage).toMatchObject({ inputTokens: own.usage.promptTokens, outputTokens: 24 })
    expect(result.response.modelId).toBe(engine.info.name)
    expect(result.providerMetadata?.latentkit).toMatchObject({ seed: 1, timings: { firstTokenMs: expect.any(Number) } })
    expect(result.warnings ?? []).toEqual([])
  })

  it('streamText streams the same, and reports what was cached', async () => {
    // What is shared is shared in blocks of 64 tokens.
    const long = 'Once upon a time there was a king who had three sons. '.repeat(12)
    const whole = await ai.generateText({ model: latentkit()(), prompt: long, ...drawn })
    const result = ai.streamText({ model: latentkit()(), prompt: long, ...drawn })
    const chunks: string[] = []
    for await (const chunk of result.textStream) chunks.push(chunk)
    expect(chunks.length).toBeGreaterThan(10)
    expect(chunks.join('')).toBe(whole.text)
    const usage = await result.usage
    expect(usage.inputTokenDetails.cacheReadTokens).toBeGreaterThan(63)
    expect(await result.finishReason).toBe('length')
  })

  it('settings of the SDK and of the engine hold', async () => {
    const base = await ai.generateText({ model: latentkit()(), prompt, maxOutputTokens: 24, temperature: 0 })
    const [word] = base.text.match(/\w+/g)!.sort((a, b) => b.length - a.length) as [string]
    const stopped = await ai.generateText({
      model: latentkit()(),
      prompt,
      maxOutputTokens: 24,
      temperature: 0,
      stopSequences: [word],
    })
    expect(base.text.startsWith(stopped.text)).toBe(true)
    expect(stopped.finishReason).toBe('stop')
    const providerOptions = { latentkit: { bannedTexts: [word], logprobs: 1 } }
    const banned = await ai.generateText({
      model: latentkit()(),
      prompt,
      maxOutputTokens: 24,
      temperature: 0,
      providerOptions,
    })
    expect(banned.text).not.toContain(word)
    expect(banned.providerMetadata?.latentkit?.logprobs).toHaveLength(24)
    const system = await ai.generateText({ model: latentkit()(), system: 'Be brief.', prompt, ...drawn })
    expect(system.usage.inputTokens).toBeGreaterThan(base.usage.inputTokens as number)
  })

  it('reasoning is apart from the text, streamed and not', async () => {
    const options = {
      model: createLatentkit({ engine: thinker })(),
      prompt,
      ...{ seed: 1, temperature: 1, maxOutputTokens: 40 },
      providerOptions: { latentkit: { thinkingBudget: 9 } },
    }
    const { reasoningText, text, usage } = await ai.generateText(options)
    expect(reasoningText?.length).toBeGreaterThan(0)
    expect(text.length).toBeGreaterThan(0)
    expect(usage.outputTokenDetails.reasoningTokens).toBeGreaterThanOrEqual(9)
    const stream = ai.streamText(options)
    const types: string[] = []
    for await (const part of stream.fullStream) if (types.at(-1) !== part.type) types.push(part.type)
    const shown = types.filter(type => /^(reasoning|text)/.test(type))
    expect(shown).toEqual([
      'reasoning-start',
      'reasoning-delta',
      'reasoning-end',
      'text-start',
      'text-delta',
      'text-end',
    ])
    expect(await stream.reasoningText).toBe(reasoningText)
    expect(await stream.text).toBe(text)
  })

  it('tools are executed in several steps', async () => {
    const seen: unknown[] = []
    const { steps, text } = await ai.generateText({
      model: latentkit()(),
      prompt,
      tools: { weather: weather(seen) },
      stopWhen: ai.stepCountIs(3),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber < 2 ? 'required' : 'auto' }),
      ...{ ...drawn, maxOutputTokens: 150 },
      ...hermes,
    })
    expect(steps.map(step => step.finishReason)).toEqual(['tool-calls', 'tool-calls', expect.any(String)])
    expect(seen).toHaveLength(2)
    expect(['Bonn', 'Rom']).toContain((seen[0] as { city: string }).city)
    const ids = steps.flatMap(step => step.toolCalls.map(call => call.toolCallId))
    expect(new Set(ids).size).toBe(2)
    expect(steps[0]?.toolResults[0]?.output).toEqual({ sky: 'rain' })
    expect(text.length).toBeGreaterThan(0)
    // A step finds what the one before has read.
    for (const { usage } of steps.slice(1)) expect(usage.inputTokenDetails.cacheReadTokens).toBeGreaterThan(127)
  })

  it('inputs of tools stream', async () => {
    const { fullStream } = ai.streamText({
      model: latentkit()(),
      prompt,
      tools: { weather: weather() },
      toolChoice: { type: 'tool', toolName: 'weather' },
      ...{ ...drawn, maxOutputTokens: 150 },
      ...hermes,
    })
    const parts: { type: string; delta?: string; input?: unknown }[] = []
    for await (const part of fullStream) parts.push(part as never)
    const types = parts.map(({ type }) => type).filter((type, i, all) => type.startsWith('tool') && all[i - 1] !== type)
    expect(types).toEqual(['tool-input-start', 'tool-input-delta', 'tool-input-end', 'tool-call', 'tool-result'])
    const deltas = parts.filter(({ type }) => type === 'tool-input-delta').map(({ delta }) => delta)
    expect(deltas.length).toBeGreaterThan(2)
    expect(JSON.parse(deltas.join(''))).toEqual(parts.find(({ type }) => type === 'tool-call')?.input)
  })

  it('objects are by their schema', async () => {
    const options = { model: latentkit()(), schema: person, prompt, ...{ ...drawn, maxOutputTokens: 200 } }
    const { object } = await ai.generateObject(options)
    expect(person.parse(object)).toEqual(object)
    const stream = ai.streamObject(options)
    const partials: unknown[] = []
    for await (const partial of stream.partialObjectStream) partials.push(partial)
    expect(partials.length).toBeGreaterThan(2)
    expect(await stream.object).toEqual(object)
    const choice = await ai.generateObject({
      model: latentkit()(),
      output: 'enum',
      enum: ['yes', 'no'],
      prompt,
      ...{ ...drawn, maxOutputTokens: 150 },
    })
    expect(['yes', 'no']).toContain(choice.object)
  })

  it('output goes together with tools: a call, then an object', async () => {
    const { output, steps } = await ai.generateText({
      model: latentkit()(),
      prompt,
      tools: { weather: weather() },
      output: ai.Output.object({ schema: person }),
      stopWhen: ai.stepCountIs(2),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? 'required' : 'none' }),
      ...{ ...drawn, maxOutputTokens: 200 },
      ...hermes,
    })
    expect(steps[0]?.toolCalls).toHaveLength(1)
    expect(person.parse(output)).toEqual(output)
  })

  it('embed and embedMany give the engine’s vectors', async () => {
    const texts = ['A man is eating.', 'Somebody has a meal.', 'x']
    const own = await engine.embed(texts)
    const model = latentkit().embeddingModel()
    const many = await ai.embedMany({ model, values: texts })
    expect(many.embeddings).toEqual(own.embeddings.map(vector => [...vector]))
    expect(many.usage.tokens).toBe(own.usage.tokens)
    const one = await ai.embed({ model, value: texts[0] as string, providerOptions: { latentkit: { dimensions: 8 } } })
    expect(one.embedding).toHaveLength(8)
  })

  it('rerank scores documents', async () => {
    const provider = createLatentkit({ model: RERANKER, load: { inline: true } })
    const documents = ['the cat sat', 'a dog ran', 'cats and dogs']
    const { ranking } = await ai.rerank({ model: provider.rerankingModel(), query: 'a cat', documents, topN: 2 })
    expect(ranking).toHaveLength(2)
    for (const { score } of ranking) expect(score).toBeGreaterThan(0)
    for (const { score } of ranking) expect(score).toBeLessThan(1)
    await provider.dispose()
  })

  it('an abort ends the answer, in either form', async () => {
    const control = new AbortController()
    const long = { model: latentkit()(), prompt, maxOutputTokens: 1500, abortSignal: control.signal }
    const whole = ai.generateText(long).catch((error: Error) => error.name)
    const stream = ai.streamText(long)
    const types: string[] = []
    let texts = 0
    for await (const { type } of stream.fullStream) {
      types.push(type)
      if (type === 'text-delta' && ++texts === 5) control.abort()
    }
    expect(types.at(-1)).toBe('abort')
    expect(await whole).toBe('AbortError')
  })

  it('what the engine does not have is a warning, and what it cannot do an error', async () => {
    const tools = {
      search: { type: 'provider', id: 'openai.web_search', name: 'search', args: {} },
    } as never
    const { warnings } = await ai.generateText({ model: latentkit()(), prompt, tools, ...drawn })
    expect(warnings).toEqual([
      { type: 'unsupported', feature: 'tool openai.web_search', details: expect.stringContaining('define a function') },
    ])
    const image = [{ type: 'image' as const, image: new Uint8Array([137, 80, 78, 71]), mediaType: 'image/png' }]
    await expect(
      ai.generateText({ model: latentkit()(), messages: [{ role: 'user', content: image }] }),
    ).rejects.toThrow('a file of type image/png; this model reads text only')
    const misspelt = { latentkit: { minp: 0.1 } }
    await expect(ai.generateText({ model: latentkit()(), prompt, providerOptions: misspelt })).rejects.toThrow(
      /minp.*minP/,
    )
    const schema = ai.jsonSchema({ type: 'object', properties: { a: { type: 'string', pattern: '(a)\\1' } } })
    await expect(ai.generateObject({ model: latentkit()(), schema, prompt })).rejects.toMatchObject({
      code: 'bad_schema',
      keyword: 'pattern',
    })
    const errors: unknown[] = []
    const stream = ai.streamText({
      model: latentkit()(),
      prompt: 'x '.repeat(3000),
      onError: ({ error }) => void errors.push(error),
    })
    await stream.consumeStream()
    expect(errors).toMatchObject([{ code: 'context_length' }])
  })

  it('a provider is one of a registry', async () => {
    const registry = ai.createProviderRegistry({ here: latentkit() })
    const { text } = await ai.generateText({
      model: registry.languageModel(`here:${engine.info.name}` as 'here:x'),
      prompt,
      ...drawn,
    })
    expect(text.length).toBeGreaterThan(0)
  })
})

describe('createLatentkit', () => {
  it('loads models by name, once, and disposes of them', async () => {
    const provider = createLatentkit({ load: { inline: true, chatTemplate: TEMPLATE } })
    const ask = () => ai6.generateText({ model: provider(bundledModel()), prompt, seed: 1, maxOutputTokens: 4 })
    const [one, two] = await Promise.all([ask(), ask()])
    expect(one.text).toBe(two.text)
    await provider.dispose()
    // It is loaded again.
    expect((await ask()).text).toBe(one.text)
    await provider.dispose()
    const none = createLatentkit({ model: './no-such-folder' })
    await expect(ai6.generateText({ model: none(), prompt })).rejects.toThrow('./no-such-folder is not there')
    await expect(ai6.generateText({ model: none(), prompt })).rejects.toThrow('./no-such-folder is not there')
    await none.dispose()
  })

  it('refuses what contradicts itself', () => {
    expect(() => createLatentkit({ engine, model: 'x' })).toThrow('engine was given with model or load')
    expect(() => latentkit()('other')).toThrow(`has the engine of ${engine.info.name}, not "other"`)
    expect(() => createLatentkit()()).toThrow('No model is named')
    expect(() => latentkit().imageModel('x')).toThrow('language models only')
  })

  it('a call that was cut off is none: the SDK would execute it', async () => {
    // Too long for the tokens: no ending of it fits.
    const properties = { text: { const: 'rain and sun and '.repeat(20) } }
    const inputSchema = { type: 'object' as const, properties, required: ['text'], additionalProperties: false }
    const options = {
      prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: prompt }] }],
      tools: [{ type: 'function' as const, name: 'weather', inputSchema }],
      toolChoice: { type: 'required' as const },
      ...{ ...drawn, maxOutputTokens: 60 },
      ...hermes,
    }
    const { content, finishReason } = await latentkit()().doGenerate(options)
    expect(finishReason).toEqual({ unified: 'length', raw: 'length' })
    expect(content.filter(({ type }) => type === 'tool-call')).toEqual([])
    const types: string[] = []
    for await (const { type } of (await latentkit()().doStream(options)).stream) types.push(type)
    expect(types).toContain('tool-input-start')
    expect(types).not.toContain('tool-call')
    expect(types.at(-1)).toBe('finish')
  })

  it('a stream that nobody reads any more frees the engine', async () => {
    const { stream } = await latentkit()().doStream({
      prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
      maxOutputTokens: 1800,
      providerOptions: { latentkit: { ignoreEos: true } },
    })
    const reader = stream.getReader()
    for (let i = 0; i < 5; i++) await reader.read()
    expect((await engine.cacheStats()).bytes).toBeGreaterThan(0)
    await reader.cancel()
    expect((await engine.cacheStats()).bytes).toBe(0)
  })
})
