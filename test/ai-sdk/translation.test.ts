/** Prompts and events of the SDK and of the engine, without a model. */
import type { LanguageModelV3Prompt, LanguageModelV3ToolResultPart } from '@ai-sdk/provider'
import { describe, expect, it, test } from 'vitest'
import { readCall } from '../../src/ai-sdk/call.ts'
import { PartWriter } from '../../src/ai-sdk/parts.ts'
import { messagesOf } from '../../src/ai-sdk/prompt.ts'
import type { ChatEvent } from '../../src/engine/types/chat.ts'

describe('a prompt', () => {
  it('becomes the engine’s messages', () => {
    const prompt: LanguageModelV3Prompt = [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Read ' },
          { type: 'file', mediaType: 'text/plain', filename: 'a.txt', data: new TextEncoder().encode('grüße') },
          { type: 'file', mediaType: 'application/json', data: Buffer.from('{}').toString('base64') },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm' },
          { type: 'text', text: 'Let me see' },
          { type: 'tool-call', toolCallId: 'a', toolName: 'f', input: { x: 1 } },
          { type: 'tool-call', toolCallId: 'b', toolName: 'g', input: '{"cut": ' },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'a', toolName: 'f', output: { type: 'json', value: { y: 2 } } },
          { type: 'tool-result', toolCallId: 'b', toolName: 'g', output: { type: 'error-text', value: 'no network' } },
          { type: 'tool-approval-response', approvalId: 'c', approved: true },
        ],
      },
    ]
    expect(messagesOf(prompt)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Read a.txt:\ngrüße{}' },
      {
        role: 'assistant',
        content: 'Let me see',
        reasoning: 'hm',
        toolCalls: [
          { id: 'a', name: 'f', arguments: { x: 1 } },
          { id: 'b', name: 'g', arguments: {} },
        ],
      },
      { role: 'tool', toolCallId: 'a', content: '{"y":2}' },
      { role: 'tool', toolCallId: 'b', content: 'Error: no network' },
    ])
  })

  test.each<[LanguageModelV3ToolResultPart['output'], string]>([
    [{ type: 'text', value: 'a' }, 'a'],
    [{ type: 'error-json', value: [1] }, 'Error: [1]'],
    [{ type: 'execution-denied' }, 'Error: the user did not allow this call'],
    [{ type: 'execution-denied', reason: 'too dear' }, 'Error: the user did not allow this call: too dear'],
  ])('shows the model a result %j', (output, content) => {
    const part = { type: 'tool-result', toolCallId: 'a', toolName: 'f', output } as const
    expect(messagesOf([{ role: 'tool', content: [part] }])).toEqual([{ role: 'tool', toolCallId: 'a', content }])
  })

  it('with parts that are no text is refused', () => {
    const data = new URL('https://example.org/a.txt')
    const file = { type: 'file', mediaType: 'text/plain', data } as const
    expect(() => messagesOf([{ role: 'user', content: [file] }])).toThrow('a file of type text/plain by its address')
    const output: LanguageModelV3ToolResultPart['output'] = {
      type: 'content',
      value: [{ type: 'image-url', url: 'x' }],
    }
    const result = { type: 'tool-result', toolCallId: 'a', toolName: 'f', output } as const
    expect(() => messagesOf([{ role: 'tool', content: [result] }])).toThrow('a part of type image-url')
  })
})

describe('options of a call', () => {
  const prompt: LanguageModelV3Prompt = [{ role: 'user', content: [{ type: 'text', text: 'x' }] }]

  it('are the engine’s under its names', () => {
    const { options, warnings } = readCall({
      prompt,
      maxOutputTokens: 5,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      stopSequences: ['a'],
      seed: 0,
      providerOptions: { latentkit: { minP: 0.1 }, other: { minP: 0.2 } },
      tools: [
        { type: 'function', name: 'f', inputSchema: { type: 'object' }, strict: true, inputExamples: [{ input: {} }] },
      ],
      toolChoice: { type: 'tool', toolName: 'f' },
    })
    expect(options).toEqual({
      ...{ maxTokens: 5, temperature: 0, topP: 0.5, topK: 3, presencePenalty: 0.1, frequencyPenalty: 0.2, seed: 0 },
      ...{ stopSequences: ['a'], minP: 0.1, toolChoice: { name: 'f' } },
      tools: { f: { parameters: { type: 'object' }, strict: true } },
    })
    expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'inputExamples of tool f' }])
    expect(() => readCall({ prompt, toolChoice: { type: 'required' } })).toThrow('there is no tool that can be called')
  })

  it('show the model the schema that its answer is held to', () => {
    const responseFormat = { type: 'json', schema: { type: 'object' }, name: 'person' } as const
    const { messages, options } = readCall({ prompt: [{ role: 'system', content: 'Hi.' }, ...prompt], responseFormat })
    expect(options).toEqual({ schema: { type: 'object' } })
    expect(messages[0]).toEqual({
      role: 'system',
      content: 'Hi.\n\nAnswer with JSON only (person), by this JSON schema:\n{"type":"object"}',
    })
    const any = readCall({ prompt, responseFormat: { type: 'json' } })
    expect(any.options).toEqual({ json: true })
    expect(any.messages[0]).toEqual({ role: 'system', content: 'Answer with JSON only.' })
    const providerOptions = { latentkit: { schemaInPrompt: false } }
    expect(readCall({ prompt, responseFormat, providerOptions }).messages).toEqual([{ role: 'user', content: 'x' }])
  })

  it('continue an answer that has begun', () => {
    const begun = readCall({ prompt: [...prompt, { role: 'assistant', content: [{ type: 'text', text: 'Once' }] }] })
    expect(begun.options).toEqual({ continueFinalMessage: true })
  })
})

describe('events', () => {
  const written = (events: readonly ChatEvent[]) => {
    const writer = new PartWriter()
    return [...events.flatMap(event => writer.event(event)), ...writer.end()]
  }

  it('become blocks that begin and end', () => {
    const parts = written([
      { type: 'reasoning', text: 'a' },
      { type: 'reasoning', text: '' },
      { type: 'content', text: 'b' },
      { type: 'content', text: 'c' },
      { type: 'callStart', index: 0, id: 'i', name: 'f' },
      { type: 'arguments', index: 0, text: '{"x":' },
      { type: 'arguments', index: 0, text: '1}' },
      { type: 'callEnd', index: 0, complete: true },
      { type: 'content', text: 'd' },
    ])
    expect(parts).toEqual([
      { type: 'reasoning-start', id: '0' },
      { type: 'reasoning-delta', id: '0', delta: 'a' },
      { type: 'reasoning-end', id: '0' },
      { type: 'text-start', id: '1' },
      { type: 'text-delta', id: '1', delta: 'b' },
      { type: 'text-delta', id: '1', delta: 'c' },
      { type: 'text-end', id: '1' },
      { type: 'tool-input-start', id: 'i', toolName: 'f' },
      { type: 'tool-input-delta', id: 'i', delta: '{"x":' },
      { type: 'tool-input-delta', id: 'i', delta: '1}' },
      { type: 'tool-input-end', id: 'i' },
      { type: 'tool-call', toolCallId: 'i', toolName: 'f', input: '{"x":1}' },
      { type: 'text-start', id: '2' },
      { type: 'text-delta', id: '2', delta: 'd' },
      { type: 'text-end', id: '2' },
    ])
  })

  it('of a call without arguments give an empty object, and of one that was cut off no call', () => {
    const start = { type: 'callStart', index: 0, id: 'i', name: 'f' } as const
    expect(written([start, { type: 'callEnd', index: 0, complete: true }]).at(-1)).toMatchObject({ input: '{}' })
    const cut = written([start, { type: 'callEnd', index: 0, complete: false }])
    expect(cut.map(({ type }) => type)).toEqual(['tool-input-start', 'tool-input-end'])
  })
})
