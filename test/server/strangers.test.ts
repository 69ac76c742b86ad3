/** What strangers sent, and what became of it: forms under other servers' names, refusals with their place, llama.cpp's own endpoints. */
import { describe, expect, test } from 'vitest'
import { post, testServer } from './support.ts'

const server = await testServer()
const messages = [{ role: 'user', content: 'Hi' }]
const asked = { messages, max_tokens: 20, seed: 1 }

const error = async (path: string, body: object) => {
  const { status, body: answer } = await post(server, path, body)
  return { status, ...((answer as { error: Record<string, unknown> }).error ?? {}) } as Record<string, unknown>
}
const text = async (more: object) => {
  const { body } = await post(server, '/v1/chat/completions', { ...asked, ...more })
  return (body as { choices: { message: { content: string } }[] }).choices[0]?.message.content
}

describe('a form under any of its names holds the answer', () => {
  test.each([
    ['grammar', { grammar: 'root ::= "ab" | "ac"' }, /^a[bc]$/],
    ['ebnf', { ebnf: 'root ::= "ab"' }, /^ab$/],
    ['regex', { regex: 'a{2,3}' }, /^a{2,3}$/],
    ['json_schema as a text', { json_schema: '{"const": 3}' }, /^3$/],
    ['structured_outputs', { structured_outputs: { json: null, choice: ['x'], disable_any_whitespace: true } }, /^x$/],
    ['structured_outputs.grammar', { structured_outputs: { grammar: 'root ::= "ab"' } }, /^ab$/],
    ['a schema that is true', { response_format: { type: 'json_schema', json_schema: { schema: true } } }, /./],
  ])('%s', async (_, more, expected) => {
    expect(await text(more)).toMatch(expected)
  })

  test.each([
    ['structured_outputs.structural_tag', { structured_outputs: { structural_tag: '{}' } }],
    ['structured_outputs', { structured_outputs: {} }],
    ['structured_outputs', { structured_outputs: { regex: '', grammar: '' } }],
    ['stop_regex', { stop_regex: 'a+' }],
    ['structural_tag', { structural_tag: {} }],
    ['prompt_embeds', { prompt_embeds: 'AA==' }],
    ['reasoning.effort', { reasoning: { effort: 'hihg' } }],
    ['n_cmpl', { n_cmpl: 2 }],
    ['documents', { documents: [{ title: 'a', text: 'b' }] }],
    ['allowed_token_ids', { allowed_token_ids: [1] }],
    ['stop_token_ids', { stop_token_ids: [-1] }],
    ['grammar_lazy', { grammar: 'root ::= "a"', grammar_lazy: true, grammar_triggers: [{ type: 0, value: '<' }] }],
    ['chat_template', { chat_template: '{{ messages }}' }],
    ['tools[0].function', { tools: [{ type: 'function', name: 'f' }] }],
    ['response_format.json_schema.schema', { response_format: { type: 'json_schema', json_schema: { schema: '{}' } } }],
    ['messages[1].tool_call_id', { messages: [...messages, { role: 'tool', tool_call_id: 'z', content: 'x' }] }],
  ])('%s is refused by its name', async (param, more) => {
    expect(await error('/v1/chat/completions', { ...asked, ...more })).toMatchObject({ status: 400, param })
  })

  test('an empty one is none: programs send fields that nobody has filled', async () => {
    const empty = {
      grammar: '',
      regex: '',
      ebnf: '',
      json_schema: '',
      guided_regex: '',
      guided_grammar: '',
      guided_json: '',
    }
    const rest = {
      stop_regex: '',
      stop_token_ids: [],
      grammar_lazy: true,
      chat_template: '',
      post_sampling_probs: true,
      lora: [],
    }
    const plain = await text({})
    expect(plain).toMatch(/./)
    expect(await text({ ...empty, ...rest })).toBe(plain)
    expect(await text({ ...empty, regex: 'a{2}' })).toBe('aa')
    expect(await text({ structured_outputs: { grammar: '', regex: 'a{2}' } })).toBe('aa')
  })

  test('false is satisfied by nothing', async () => {
    const format = { type: 'json_schema', json_schema: { schema: false } }
    expect(await error('/v1/chat/completions', { ...asked, response_format: format })).toMatchObject({
      ...{ status: 400, code: 'unsupported_schema' },
    })
  })
})

test('parameters that no arguments satisfy are refused by the name of their tool', async () => {
  const tool = (name: string, v: object) => {
    const parameters = { type: 'object', properties: { v }, required: ['v'] }
    return { type: 'function', function: { name, parameters } }
  }
  const none = tool('f', { type: 'integer', minimum: 5, maximum: 3 })
  const named = { tools: [none, tool('g', {})], tool_choice: { type: 'function', function: { name: 'f' } } }
  const required = { ...named, tool_choice: 'required', response_format: { type: 'json_object' } }
  for (const [more, message, path] of [
    [named, /^The parameters of f are satisfied by no value/, '/f'],
    [required, /^The parameters of one of the tools f, g are satisfied by no value/, ''],
  ] as const) {
    expect(await error('/v1/chat/completions', { ...asked, ...more })).toMatchObject({
      ...{ status: 400, code: 'unsupported_schema', schema_path: path, message: expect.stringMatching(message) },
    })
  }
})

test('a result of no call is refused where it is in the body, whatever messages it becomes', async () => {
  const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
  const result = (call_id: string) => ({ type: 'function_call_output', call_id, output: 'x' })
  const input = [{ role: 'user', content: 'x' }, call, { ...call, call_id: 'd' }, result('c'), result('e')]
  expect(await error('/v1/responses', { input })).toMatchObject({ status: 400, param: 'input[4].call_id' })
  const use = { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input: {} }] }
  const results = ['c', 'e'].map(id => ({ type: 'tool_result', tool_use_id: id, content: 'x' }))
  const body = { messages: [...messages, use, { role: 'user', content: results }], max_tokens: 2 }
  expect(await error('/v1/messages', body)).toMatchObject({ status: 400, param: 'messages[2].content[1].tool_use_id' })
})

test('a call may have an empty id, as some servers give it', async () => {
  const call = { id: '', type: 'function', function: { name: 'f', arguments: '{}' } }
  const called = { role: 'assistant', content: null, tool_calls: [call] }
  const result = { role: 'tool', tool_call_id: '', content: 'x' }
  const { status } = await post(server, '/v1/chat/completions', { ...asked, messages: [...messages, called, result] })
  expect(status).toBe(200)
  expect(await error('/v1/chat/completions', { ...asked, messages: [...messages, result] })).toMatchObject({
    ...{ status: 400, param: 'messages[1].tool_call_id' },
  })
})

test('what is no effort and no way of thinking is refused by every API', async () => {
  expect(await error('/v1/responses', { input: 'x', reasoning: { effort: 'hihg' } })).toMatchObject({
    ...{ status: 400, param: 'reasoning.effort', message: expect.stringContaining('xhigh, max') },
  })
  for (const [param, more] of [
    ['output_config.effort', { output_config: { effort: 'hihg' } }],
    ['thinking.type', { thinking: { type: 'on' } }],
  ] as const) {
    expect(await error('/v1/messages', { messages, ...more })).toMatchObject({ status: 400, param })
  }
})

describe('stop_token_ids', () => {
  const begun = { prompt: 'Once upon a time', max_tokens: 60, temperature: 0 }
  const ended = async (more: object) => {
    const { body } = await post(server, '/v1/completions', { ...begun, ...more })
    const [choice] = (body as { choices: { text: string; finish_reason: string }[] }).choices
    return choice as { text: string; finish_reason: string }
  }

  test("the model's own ends change nothing; others end the text before them", async () => {
    const plain = await ended({})
    expect(await ended({ stop_token_ids: [0, 1] })).toEqual(plain)
    const { tokens } = (await post(server, '/tokenize', { content: '.' })).body as { tokens: number[] }
    const text = plain.text.slice(0, plain.text.indexOf('.'))
    expect(await ended({ stop_token_ids: tokens })).toMatchObject({ text, finish_reason: 'stop' })
    expect(await ended({ stop_token_ids: tokens, ignore_eos: true })).toMatchObject({ text })
  })

  test('an id that no token has is refused', async () => {
    expect(await error('/v1/completions', { ...begun, stop_token_ids: [1e6] })).toMatchObject({ status: 400 })
  })
})

describe('a field that is left out is named, in every API', () => {
  test.each([
    ['/v1/chat/completions', { messages, verbosity: 'low', echo: true }, 'verbosity, echo'],
    ['/v1/completions', { prompt: 'x', return_token_ids: true, samplers: ['top_k'] }, 'return_token_ids, samplers'],
    ['/completion', { prompt: 'x', n_predict: 1, t_max_predict_ms: 5 }, 't_max_predict_ms'],
    ['/v1/responses', { input: 'x', text: { verbosity: 'low' } }, 'text.verbosity'],
    ['/v1/messages', { messages, context_management: { edits: [] }, container: 'c' }, 'context_management, container'],
    ['/v1/chat/completions', { messages, verbosity: null, samplers: '', context_management: null }, null],
  ])('%s', async (path, body, named) => {
    const { status, headers } = await post(server, path, { max_tokens: 1, ...body })
    expect([status, headers.get('x-latentkit-ignored')]).toEqual([200, named])
  })
})

test('what asks for another answer is refused by every API', async () => {
  for (const [path, body] of [
    ['/v1/responses', { input: 'x' }],
    ['/v1/messages', { messages, max_tokens: 1 }],
  ] as const) {
    expect(await error(path, { ...body, stop_regex: 'a' })).toMatchObject({ status: 400 })
    expect(await error(path, { ...body, n: 2 })).toMatchObject({ status: 400, param: 'n' })
  }
  const ollama = async (path: string, body: object) =>
    (await post(server, path, { model: 'tales-mla-8m', stream: false, ...body })) as { status: number; body: object }
  expect(await ollama('/api/chat', { messages, options: { stop_regex: 'a' } })).toMatchObject({
    ...{ status: 400, body: { error: expect.stringMatching(/^stop_regex ends/) } },
  })
  expect(await ollama('/api/chat', { messages, _debug_render_only: true })).toMatchObject({ status: 400 })
  expect(await ollama('/api/generate', { prompt: 'x', raw: true, system: 'Be brief.' })).toMatchObject({
    ...{ status: 400, body: { error: expect.stringMatching(/^system is not read beside raw/) } },
  })
})

test('a seed of 64 bits is a seed: clients draw such', async () => {
  const [a, b, c] = await Promise.all([2 ** 60 + 2 ** 20, 2 ** 60 + 2 ** 20, 2 ** 60].map(seed => text({ seed })))
  expect(a).toBe(b)
  expect(a).not.toBe(c)
})

test('repeat_last_n 0 looks at no token: no penalty', async () => {
  const plain = await text({ temperature: 0 })
  expect(await text({ temperature: 0, repeat_penalty: 3, repeat_last_n: 0 })).toBe(plain)
  expect(await text({ temperature: 0, repeat_penalty: 3, repeat_last_n: 64 })).not.toBe(plain)
})

describe("llama.cpp's /completion", () => {
  const begun = { prompt: 'Once upon a time', n_predict: 20, temperature: 0 }
  test('says which text ended it', async () => {
    const { body } = await post(server, '/completion', { ...begun, stop: ['t'] })
    expect(body).toMatchObject({ stop_type: 'word', stopping_word: 't', timings: { predicted_n: expect.any(Number) } })
  })

  test('has the chances that n_probs asks for', async () => {
    const { body } = await post(server, '/completion', { ...begun, n_predict: 2, n_probs: 3 })
    const { completion_probabilities: all } = body as { completion_probabilities: { id: number; top_logprobs: [] }[] }
    expect(all.map(({ top_logprobs: top }) => top.length)).toEqual([3, 3])
    expect(all[0]).toMatchObject({ id: expect.any(Number), token: ',', bytes: [44], logprob: expect.any(Number) })
    expect((await post(server, '/completion', { ...begun, n_predict: 1, n_probs: 50 })).status).toBe(200)
  })

  test('several texts are several prompts, which it does not take for one', async () => {
    expect(await error('/completion', { ...begun, prompt: ['a', 'b'] })).toMatchObject({ status: 400, param: 'prompt' })
  })
})

test('/tokenize says what is missing', async () => {
  expect(await error('/tokenize', { messages })).toMatchObject({ status: 400, param: 'content' })
})

test("a tool's result of Ollama's older form belongs to the call of its name", async () => {
  const calls = ['f', 'g'].map(name => ({ function: { name, arguments: {} } }))
  const called = [...messages, { role: 'assistant', content: '', tool_calls: calls }]
  const chat = async (name: string) => {
    const all = [...called, { role: 'tool', name, content: 'x' }]
    return post(server, '/api/chat', {
      model: 'tales-mla-8m',
      stream: false,
      messages: all,
      options: { num_predict: 1 },
    })
  }
  expect(await chat('g')).toMatchObject({ status: 200 })
  expect(await chat('h')).toMatchObject({ status: 400, body: { error: expect.stringContaining('"h"') } })
})

test("Ollama's chat continues an answer that has begun", async () => {
  const chat = async (more: object[]) => {
    const body = { model: 'tales-mla-8m', stream: false, messages: more, options: { num_predict: 3, temperature: 0 } }
    return ((await post(server, '/api/chat', body)).body as { message: { content: string } }).message.content
  }
  expect(await chat([...messages, { role: 'assistant', content: 'Once upon a' }])).toBe(' time, there')
})

test("whether a model thinks is read as other servers' clients write it", async () => {
  const chatTemplate = '{% for m in messages %}{{ m.content }}{% endfor %} {{ enable_thinking }} {{ reasoning_effort }}'
  const told = await testServer({ load: { chatTemplate } })
  for (const [more, said] of [
    [{}, ' '],
    [{ enable_thinking: false }, 'False none'],
    [{ thinking: { type: 'disabled' } }, 'False none'],
    [{ thinking: { type: 'enabled' } }, 'True '],
    [{ reasoning: { enabled: false } }, 'False none'],
    [{ reasoning: { effort: 'low' } }, 'True low'],
    [{ enable_thinking: true, chat_template_kwargs: { enable_thinking: false } }, 'False '],
    [{ thinking: { type: 'disabled' }, reasoning_effort: 'high' }, 'True high'],
  ] as const) {
    const { body } = await post(told, '/apply-template', { messages, ...more })
    expect(body).toEqual({ prompt: `Hi ${said}` })
  }
})

test.each(['prefix', 'partial'])('a last message of the assistant with %s is continued', async name => {
  const begun = { role: 'assistant', content: 'Once upon a', [name]: true }
  expect(await text({ messages: [...messages, begun], max_tokens: 3, temperature: 0 })).toBe(' time, there')
})

test('finds and documents that are texts are read', async () => {
  const texts = [{ type: 'text', text: 'upon' }]
  const count = async (content: unknown) =>
    (await post(server, '/v1/messages/count_tokens', { messages: [{ role: 'user', content }] })).body
  const found = { type: 'search_result', source: 'a.txt', title: 'Tale', content: texts }
  expect(await count([found])).toEqual(await count('Tale\na.txt\nupon'))
  const document = { type: 'document', title: 'Tale', source: { type: 'content', content: texts } }
  expect(await count([document])).toEqual(await count('Tale\nupon'))
  const picture = { ...document, source: { type: 'content', content: [{ type: 'image', source: {} }] } }
  expect(await error('/v1/messages', { messages: [{ role: 'user', content: [picture] }] })).toMatchObject({
    ...{ status: 400, param: 'messages[0].content[0].source.content[0]' },
  })
})

test('a thread of messages is refused as its client expects: then it sends the whole conversation', async () => {
  expect(await error('/v1/messages', { messages, max_tokens: 2, thread: { type: 'create' } })).toMatchObject({
    ...{ status: 400, details: { error_code: 'thread_unsupported_request' } },
  })
})

test('an item of an answer that was kept may be named by its id, once', async () => {
  const first = (await post(server, '/v1/responses', { input: 'Hi', max_output_tokens: 4, seed: 1 })).body as {
    output: { id: string; content: { text: string }[] }[]
  }
  const [item] = first.output
  const next = [{ role: 'user', content: 'y' }]
  const count = async (more: object) =>
    (
      (await post(server, '/v1/responses/input_tokens', { input: [...messages, more, ...next] })).body as {
        input_tokens: number
      }
    ).input_tokens
  expect(await count({ type: 'item_reference', id: item?.id })).toBe(await count({ ...item }))
  const gone = [{ type: 'item_reference', id: 'msg_0' }, ...next]
  expect(await error('/v1/responses', { input: gone })).toMatchObject({ status: 404, param: 'input[0]' })
  const twice = [{ type: 'item_reference', id: item?.id }, { type: 'item_reference', id: item?.id }, ...next]
  expect(await error('/v1/responses', { input: twice })).toMatchObject({ status: 400, param: 'input[1]' })
})

test('a reranker answers in the form of Cohere and Jina, and in that of Text Embeddings Inference', async () => {
  const reranker = await testServer({ models: ['test/fixtures/embeddings/bert-reranker'] })
  const [query, documents] = ['the cat', ['a dog', 'the cat sat', 'hi']]
  type Ranked = { index: number; relevance_score: number; document?: { text: string } }[]
  const asked = { query, documents, top_n: 2, return_documents: true }
  const { results } = (await post(reranker, '/v1/rerank', asked)).body as { results: Ranked }
  expect(results.map(({ index, document }) => document?.text === documents[index])).toEqual([true, true])
  const tei = (await post(reranker, '/rerank', { query, texts: documents, return_text: true })).body as {
    index: number
    score: number
    text: string
  }[]
  expect(tei).toHaveLength(3)
  expect(tei.slice(0, 2).map(({ index, score }) => [index, score])).toEqual(
    results.map(({ index, relevance_score: score }) => [index, score]),
  )
  expect(tei[0]?.text).toBe(documents[tei[0]?.index ?? -1])
  const raw = (await post(reranker, '/rerank', { query, texts: documents, raw_scores: true })).body as typeof tei
  expect(1 / (1 + Math.exp(-(raw[0]?.score ?? 0)))).toBeCloseTo(tei[0]?.score ?? 0, 12)
  expect(await post(reranker, '/rerank', { query })).toMatchObject({
    status: 400,
    body: { error: { param: 'documents' } },
  })
})
