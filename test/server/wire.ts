/**
 * One question in the words of each API, and what its answer says, whole or streamed, in one form. Readers are strict: an event that is
 * out of order, twice or without what clients read throws.
 */
import { expect } from 'vitest'

export interface WireAsk {
  readonly messages: readonly { readonly role: 'user'; readonly content: string }[]
  readonly schema?: unknown
  readonly tools?: Readonly<Record<string, { readonly description?: string; readonly parameters?: object }>>
  readonly toolChoice?: 'auto' | 'required' | 'none' | { readonly name: string }
  readonly parallel?: boolean
  /** Fields that all APIs take under one name, such as `seed`. */
  readonly more?: Readonly<Record<string, unknown>>
  readonly maxTokens: number
}

export interface WireCall {
  readonly id: string
  readonly name: string
  /** JSON, as it was sent. */
  readonly arguments: string
}

export interface WireAnswer {
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly WireCall[]
  readonly reason: 'stop' | 'length' | 'calls'
}

export interface WireApi {
  readonly path: string
  body(ask: WireAsk, model: string): Record<string, unknown>
  whole(body: unknown): WireAnswer
  streamed(text: string): WireAnswer
}

// biome-ignore lint/suspicious/noExplicitAny: what comes is looked into field by field.
type Json = Record<string, any>

/** An event says what went wrong after the stream has begun. */
class StreamError extends Error {
  readonly body: Json

  constructor(error: Json) {
    super(JSON.stringify(error))
    this.body = { error }
  }
}

const toolsOf = <T>(ask: WireAsk, shape: (name: string, description: string, parameters: object) => T) => {
  if (!ask.tools) return {}
  const all = Object.entries(ask.tools)
  return { tools: all.map(([name, { description = '', parameters = {} }]) => shape(name, description, parameters)) }
}
const named = ({ toolChoice }: WireAsk) => (typeof toolChoice === 'object' ? toolChoice.name : null)

function events(text: string): { name: string; data: Json }[] {
  const blocks = text.split('\n\n').filter(block => block !== '' && !block.startsWith(':'))
  return blocks.map(block => {
    const name = /^event: (.*)$/m.exec(block)?.[1] ?? ''
    const data = /^data: (.*)$/m.exec(block)?.[1] ?? ''
    const json: Json = data === '[DONE]' ? { done: true } : JSON.parse(data)
    if (json.error || json.response?.error) throw new StreamError(json.error ?? json.response.error)
    return { name, data: json }
  })
}

const CHAT_REASONS: Record<string, WireAnswer['reason']> = { stop: 'stop', length: 'length', tool_calls: 'calls' }

const chat: WireApi = {
  path: '/v1/chat/completions',
  body: (ask, model) => ({
    ...{ model, messages: ask.messages, max_completion_tokens: ask.maxTokens },
    ...toolsOf(ask, (name, description, parameters) => ({
      type: 'function',
      function: { name, description, parameters },
    })),
    ...(ask.toolChoice !== undefined && {
      tool_choice: named(ask) ? { type: 'function', function: { name: named(ask) } } : ask.toolChoice,
    }),
    ...(ask.parallel !== undefined && { parallel_tool_calls: ask.parallel }),
    ...(ask.schema !== undefined && {
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: ask.schema } },
    }),
    ...ask.more,
  }),
  whole: body => {
    const { message, finish_reason: reason } = (body as Json).choices[0]
    const calls = (message.tool_calls ?? []) as Json[]
    for (const { type } of calls) expect(type).toBe('function')
    return {
      text: message.content ?? '',
      reasoning: message.reasoning_content ?? '',
      calls: calls.map(({ id, function: { name, arguments: given } }) => ({ id, name, arguments: given })),
      reason: CHAT_REASONS[reason] as WireAnswer['reason'],
    }
  },
  streamed: text => {
    const all = events(text).map(({ data }) => data)
    expect(all.at(-1)).toEqual({ done: true })
    expect(all[0]?.choices[0].delta.role).toBe('assistant')
    const choices = all.slice(0, -1).flatMap(({ choices }) => choices as Json[])
    const calls: { id: string; name: string; arguments: string }[] = []
    for (const part of choices.flatMap(({ delta }) => (delta.tool_calls ?? []) as Json[])) {
      const { index, id, function: its } = part
      if (index === calls.length) {
        expect(part).toEqual({ index, id: expect.stringMatching(/./), type: 'function', function: its })
        expect(its).toEqual({ name: expect.stringMatching(/./), arguments: '' })
        calls.push({ id, name: its.name, arguments: '' })
      } else {
        expect(part).toEqual({ index: calls.length - 1, function: { arguments: expect.any(String) } })
        ;(calls[index] as { arguments: string }).arguments += its.arguments
      }
    }
    const reasons = choices.flatMap(({ finish_reason: reason }) => reason ?? [])
    expect(reasons.length).toBe(1)
    return {
      text: choices.map(({ delta }) => delta.content ?? '').join(''),
      reasoning: choices.map(({ delta }) => delta.reasoning_content ?? '').join(''),
      calls,
      reason: CHAT_REASONS[reasons[0]] as WireAnswer['reason'],
    }
  },
}

const responses: WireApi = {
  path: '/v1/responses',
  body: (ask, model) => ({
    ...{ model, input: ask.messages, max_output_tokens: ask.maxTokens, store: false },
    ...toolsOf(ask, (name, description, parameters) => ({ type: 'function', name, description, parameters })),
    ...(ask.toolChoice !== undefined && {
      tool_choice: named(ask) ? { type: 'function', name: named(ask) } : ask.toolChoice,
    }),
    ...(ask.parallel !== undefined && { parallel_tool_calls: ask.parallel }),
    ...(ask.schema !== undefined && {
      text: { format: { type: 'json_schema', name: 'answer', strict: true, schema: ask.schema } },
    }),
    ...ask.more,
  }),
  whole: body => {
    const { status, output } = body as { status: string; output: Json[] }
    const ids = output.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const of = (type: string) => output.filter(item => item.type === type)
    const calls = of('function_call')
    return {
      text: of('message')
        .map(({ content }) => content[0].text)
        .join(''),
      reasoning: of('reasoning')
        .map(({ content }) => content[0].text)
        .join(''),
      calls: calls.map(({ call_id: id, name, arguments: given }) => ({ id, name, arguments: given })),
      reason: status === 'incomplete' ? 'length' : calls.length > 0 ? 'calls' : 'stop',
    }
  },
  streamed: text => {
    const all = events(text)
    for (const [i, { name, data }] of all.entries()) {
      expect(name).toBe(data.type)
      if (name !== 'keepalive') expect(data.sequence_number).toBe(i)
    }
    const { response } = (all.at(-1) as { data: Json }).data as { response: { output: Json[] } }
    // What came in parts is what the last event has.
    for (const [at, item] of response.output.entries()) {
      const its = all.filter(({ data }) => data.output_index === at)
      expect(its[0]?.data).toMatchObject({ type: 'response.output_item.added', item: { id: item.id, type: item.type } })
      expect(its.at(-1)?.data).toMatchObject({ type: 'response.output_item.done', item })
      const joined = its.map(({ data }) => data.delta ?? '').join('')
      expect(joined).toBe(item.type === 'function_call' ? item.arguments : item.content[0].text)
    }
    return responses.whole(response)
  },
}

const MESSAGE_REASONS: Record<string, WireAnswer['reason']> = {
  end_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'calls',
}

const messages: WireApi = {
  path: '/v1/messages',
  body: (ask, model) => {
    const name = named(ask)
    const type = name ? 'tool' : ask.toolChoice === 'required' ? 'any' : ask.toolChoice
    const parallel = ask.parallel === undefined ? {} : { disable_parallel_tool_use: !ask.parallel }
    return {
      ...{ model, messages: ask.messages, max_tokens: ask.maxTokens },
      ...toolsOf(ask, (name, description, input_schema) => ({ name, description, input_schema })),
      ...(type !== undefined && { tool_choice: { type, ...(name && { name }), ...parallel } }),
      ...(ask.schema !== undefined && { output_config: { format: { type: 'json_schema', schema: ask.schema } } }),
      ...ask.more,
    }
  },
  whole: body => {
    const { content, stop_reason: reason } = body as { content: Json[]; stop_reason: string }
    const of = (type: string) => content.filter(block => block.type === type)
    return {
      text: of('text')
        .map(({ text }) => text)
        .join(''),
      reasoning: of('thinking')
        .map(({ thinking }) => thinking)
        .join(''),
      calls: of('tool_use').map(({ id, name, input }) => ({ id, name, arguments: JSON.stringify(input) })),
      reason: MESSAGE_REASONS[reason] as WireAnswer['reason'],
    }
  },
  streamed: text => {
    const all = events(text).filter(({ name }) => name !== 'ping')
    for (const { name, data } of all) expect(name).toBe(data.type)
    expect([all[0]?.name, all.at(-2)?.name, all.at(-1)?.name]).toEqual([
      'message_start',
      'message_delta',
      'message_stop',
    ])
    const content: Json[] = []
    let open = -1
    let input = ''
    for (const { data } of all.slice(1, -2)) {
      if (data.type === 'content_block_start') {
        expect([open, data.index]).toEqual([-1, content.length])
        open = data.index
        input = ''
        content.push({ ...data.content_block })
        continue
      }
      expect(data.index).toBe(open)
      const block = content[open] as Json
      if (data.type === 'content_block_stop') {
        if (block.type === 'tool_use') block.input = JSON.parse(input === '' ? '{}' : input)
        open = -1
      } else if (data.delta.type === 'text_delta') block.text += data.delta.text
      else if (data.delta.type === 'thinking_delta') block.thinking += data.delta.thinking
      else if (data.delta.type === 'input_json_delta') input += data.delta.partial_json
    }
    expect(open).toBe(-1)
    return messages.whole({ content, ...all.at(-2)?.data.delta })
  },
}

const ollama: WireApi = {
  path: '/api/chat',
  body: ({ more = {}, ...ask }, model) => ({
    ...{ model, messages: ask.messages, options: { num_predict: ask.maxTokens, ...more } },
    ...toolsOf(ask, (name, description, parameters) => ({
      type: 'function',
      function: { name, description, parameters },
    })),
    ...(ask.toolChoice !== undefined && {
      tool_choice: named(ask) ? { type: 'function', function: { name: named(ask) } } : ask.toolChoice,
    }),
    ...(ask.schema !== undefined && { format: ask.schema }),
    stream: false,
  }),
  whole: body => fromOllama([body as Json]),
  streamed: text => {
    const lines = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Json)
    for (const line of lines) if (line.error) throw new StreamError({ message: line.error, code: line.code })
    expect(lines.map(({ done }) => done)).toEqual(lines.map((_, i) => i === lines.length - 1))
    return fromOllama(lines)
  },
}

function fromOllama(lines: readonly Json[]): WireAnswer {
  const calls = lines.flatMap(({ message }) => (message.tool_calls ?? []) as Json[])
  expect(calls.map(({ function: { index } }) => index)).toEqual(calls.map((_, i) => i))
  const reason = lines.at(-1)?.done_reason
  return {
    text: lines.map(({ message }) => message.content).join(''),
    reasoning: lines.map(({ message }) => message.thinking ?? '').join(''),
    calls: calls.map(({ id, function: { name, arguments: given } }) => ({
      id,
      name,
      arguments: JSON.stringify(given),
    })),
    // Ollama's answers say "stop" for calls, too.
    reason: reason === 'stop' && calls.length > 0 ? 'calls' : reason,
  }
}

export const APIS = { chat, responses, messages, ollama } as const
export type ApiName = keyof typeof APIS

/** Asks, streamed or not. A refusal is its status and body; 0: of a stream that had begun. */
export async function askBy(
  server: { readonly app: { request(path: string, init: RequestInit): Response | Promise<Response> } },
  api: WireApi,
  ask: WireAsk,
  { model, stream }: { readonly model: string; readonly stream: boolean },
): Promise<{ readonly answer: WireAnswer } | { readonly status: number; readonly body: Json }> {
  const body = JSON.stringify({ ...api.body(ask, model), stream })
  const response = await server.app.request(api.path, { method: 'POST', body })
  if (response.status !== 200) return { status: response.status, body: (await response.json()) as Json }
  if (!stream) return { answer: api.whole(await response.json()) }
  try {
    return { answer: api.streamed(await response.text()) }
  } catch (error) {
    if (error instanceof StreamError) return { status: 0, body: error.body }
    throw error
  }
}
