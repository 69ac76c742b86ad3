/** Several models: by name, loaded when they are asked for, unloaded when others need the room. */
import { bundledModel } from 'latentkit'
import { describe, expect, test } from 'vitest'
import { post, testServer } from './support.ts'

const BERT = 'test/fixtures/embeddings/bert'

async function states(server: Awaited<ReturnType<typeof testServer>>): Promise<Record<string, string>> {
  const { data } = (await (await server.app.request('/v1/models')).json()) as {
    data: { id: string; status: { value: string } }[]
  }
  return Object.fromEntries(data.map(({ id, status }) => [id, status.value]))
}

describe('two models of one folder under a budget for one', async () => {
  const server = await testServer({
    models: [`a=${bundledModel()}`, `b=${bundledModel()}`],
    // One takes 21 MB: 16.2 of weights, 4.7 of cache.
    memoryBytes: 24_000_000,
  })
  const ask = (model: string, more = {}) =>
    post(server, '/v1/completions', { model, prompt: 'Once', max_tokens: 8, seed: 1, ...more })

  test('the first is loaded at once, the other in its place when it is asked for', async () => {
    expect(await states(server)).toEqual({ a: 'loaded', b: 'unloaded' })
    const first = await ask('a')
    const other = await ask('b')
    expect(other.body).toMatchObject({ model: 'b', choices: [{ text: expect.any(String) }] })
    expect((other.body as { choices: unknown }).choices).toEqual((first.body as { choices: unknown }).choices)
    expect(await states(server)).toEqual({ a: 'unloaded', b: 'loaded' })
  })

  test('both at once take turns, and all are answered', async () => {
    const all = await Promise.all(['a', 'b', 'a', 'b', 'a'].map(model => ask(model)))
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  })

  test('no name is the first; a name that is not here is 404', async () => {
    expect((await post(server, '/v1/completions', { prompt: 'Once', max_tokens: 1 })).body).toMatchObject({
      model: 'a',
    })
    const { status, body } = await ask('c')
    expect(status).toBe(404)
    expect(body).toMatchObject({ error: { code: 'model_not_found', message: expect.stringContaining('a, b') } })
  })
})

test('any name will do, where that was asked for', async () => {
  const server = await testServer({ anyModel: true })
  const asked = { model: 'gpt-4o', prompt: 'Once', max_tokens: 1 }
  expect((await post(server, '/v1/completions', asked)).body).toMatchObject({ model: 'tales-mla-8m' })
})

describe('an encoder', async () => {
  const server = await testServer({ models: [BERT] })

  test('makes vectors, as numbers and as base64', async () => {
    const asked = { model: 'bert', input: ['the cat', 'a dog'] }
    const { body } = await post(server, '/v1/embeddings', asked)
    const floats = body as { data: { embedding: number[]; index: number }[]; usage: object }
    expect(floats.data.map(({ index, embedding }) => [index, embedding.length])).toEqual([
      [0, 32],
      [1, 32],
    ])
    const { body: coded } = await post(server, '/v1/embeddings', { ...asked, encoding_format: 'base64' })
    const [{ embedding } = { embedding: '' }] = (coded as { data: { embedding: string }[] }).data
    const bytes = Buffer.from(embedding, 'base64')
    const vector = Array.from({ length: 32 }, (_, i) => bytes.readFloatLE(i * 4))
    expect(vector).toEqual(floats.data[0]?.embedding)
    const { body: short } = await post(server, '/v1/embeddings', { ...asked, dimensions: 4 })
    expect((short as typeof floats).data[0]?.embedding.length).toBe(4)
  })

  test('does not write', async () => {
    const asked = { messages: [{ role: 'user', content: 'Hello' }] }
    const { status, body } = await post(server, '/v1/chat/completions', asked)
    expect([status, body]).toMatchObject([400, { error: { code: 'unsupported_by_model' } }])
  })
})

describe('beside answers', async () => {
  const server = await testServer()
  const messages = [{ role: 'user', content: 'Once upon a time' }]

  test('conversations are counted as they are read, and shown', async () => {
    const { body } = await post(server, '/v1/chat/completions/input_tokens', { messages })
    const answer = await post(server, '/v1/chat/completions', { messages, max_tokens: 1 })
    const { usage } = answer.body as { usage: { prompt_tokens: number } }
    expect(body).toMatchObject({ input_tokens: usage.prompt_tokens })
    expect((await post(server, '/apply-template', { messages })).body).toEqual({
      prompt: '<|endoftext|>Once upon a time',
    })
  })

  test('text becomes tokens, with the parts of characters, and text again', async () => {
    const { body } = await post(server, '/tokenize', { content: 'Ein Hä 🙂' })
    const { tokens } = body as { tokens: number[] }
    expect((await post(server, '/detokenize', { tokens })).body).toMatchObject({ content: 'Ein Hä 🙂' })
    expect((await post(server, '/detokenize', { tokens: [5, 4096] })).status).toBe(400)
    const pieces = (await post(server, '/tokenize', { content: 'ä', with_pieces: true })).body
    expect(pieces).toMatchObject({ tokens: [{ piece: [0xc3] }, { piece: [0xa4] }] })
  })

  test('/completion and /infill of llama.cpp', async () => {
    const { body } = await post(server, '/completion', { prompt: 'Once', n_predict: 4, seed: 1 })
    expect(body).toMatchObject({ stop: true, stop_type: 'limit', tokens_predicted: 4, content: expect.any(String) })
    const gap = await post(server, '/infill', { input_prefix: 'a', input_suffix: 'b' })
    expect([gap.status, gap.body]).toMatchObject([400, { error: { code: 'unsupported_by_model' } }])
  })

  test('/openapi.json has every path with its schema', async () => {
    const api = (await (await server.app.request('/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, { post?: { requestBody: { content: Record<string, { schema: object }> } } }>
    }
    expect(api.openapi).toBe('3.1.0')
    const chat = api.paths['/v1/chat/completions']?.post?.requestBody.content['application/json']?.schema
    expect(chat).toMatchObject({ type: 'object', required: ['messages'] })
    expect(api.paths['/v1/models/{name}']).toBeDefined()
    expect(api.paths['/{file}']).toMatchObject({ get: { parameters: [{ name: 'file', in: 'path' }] } })
  })

  test('/props and /metrics, also under an alias', async () => {
    const { model_alias } = (await (await server.app.request('/props')).json()) as { model_alias: string }
    expect(model_alias).toBe('tales-mla-8m')
    const aliased = await testServer({ metricsAlias: 'vllm' })
    const text = await (await aliased.app.request('/metrics')).text()
    expect(text).toContain('\nlatentkit_num_requests_running 0')
    expect(text).toContain('\nvllm:num_requests_running 0')
  })
})
