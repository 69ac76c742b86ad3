/** The memory that models may take: planned before they are loaded, and refused by name and number where it can never do. */
import { bundledModel, type LoadOptions, type ModelInfo } from 'latentkit'
import { createServer, type ServerOptions } from 'latentkit/server'
import { expect, test } from 'vitest'
import { Models } from '../../apps/server/models/models.ts'
import { longestTextBytes, needOf } from '../../apps/server/models/need.ts'
import { post, testServer } from './support.ts'

const GEMMA = 'test/fixtures/checkpoints/gemma3-mqa'
const BERT = 'test/fixtures/embeddings/bert'
const WEIGHTS = 16_215_040
/** Of a token of the bundled model. */
const ROW = 2304

const need = (source: string, load: LoadOptions = {}) => needOf(source, load)

test('what a model takes is weights as the kernels hold them, and the rows of a text as long as its context', async () => {
  expect(await need(bundledModel())).toEqual({ weights: WEIGHTS, cache: 2048 * ROW, context: 2048, caches: 1 })
  expect(await need(bundledModel(), { contextLength: 100 })).toMatchObject({ cache: 128 * ROW, context: 100 })
  expect(await need(bundledModel(), { contextLength: 1e6 })).toMatchObject({ context: 2048 })
  expect(await need(bundledModel(), { cacheType: 'f32' })).toMatchObject({ cache: 2 * 2048 * ROW })
  expect(await need(bundledModel(), { cacheBytes: 1000 })).toMatchObject({ cache: 1000 })
  const small = (await need(bundledModel(), { weights: 'q8_0' }))?.weights ?? 0
  expect(small / WEIGHTS).toBeGreaterThan(0.5)
  expect(small / WEIGHTS).toBeLessThan(0.65)
  const drafted = await need(bundledModel(), { draft: bundledModel() })
  expect(drafted).toMatchObject({ weights: 2 * WEIGHTS, cache: 2048 * ROW, caches: 2 })
})

test('an encoder takes its weights; what is not here is not known', async () => {
  expect(await need(BERT)).toMatchObject({ weights: expect.any(Number), cache: 0, context: 0 })
  expect(await need('some-org/no-such-model')).toBeNull()
})

async function start(options: ServerOptions): Promise<unknown> {
  const server = await createServer({ ...options, stopDeadline: 0, load: { threads: 1, ...options.load } })
  const error = await server.ready.then(
    () => null,
    error => error,
  )
  await server.close()
  return error
}

test('a first model that can never fit ends the start, with both numbers and what to do', async () => {
  expect(await start({ memoryBytes: 18_000_000 })).toMatchObject({
    code: 'model_too_large',
    message:
      'tales-mla-8m takes 20.0 MiB: 15.5 MiB of weights and 4.5 MiB of cache for 2048 tokens; all models of this server may take ' +
      '17.2 MiB (--memory). Give it a shorter --context, or --cache-bytes.',
  })
  expect(await start({ memoryBytes: 18_000_000, load: { contextLength: 512 } })).toBeNull()
  expect(await start({ memoryBytes: 18_000_000, load: { cacheBytes: 1_000_000 } })).toBeNull()
})

test('another that can never fit is a 400 that names it, and the loaded one stays', async () => {
  const server = await testServer({ models: [GEMMA, bundledModel()], memoryBytes: 10_000_000 })
  const { status, body } = await post(server, '/v1/completions', { model: 'tales-mla-8m', prompt: 'a', max_tokens: 1 })
  expect([status, body]).toMatchObject([
    400,
    {
      error: { code: 'model_too_large', param: 'model', bytes_needed: WEIGHTS + 2048 * ROW, bytes_allowed: 10_000_000 },
    },
  ])
  const { data } = (await (await server.app.request('/v1/models')).json()) as { data: object[] }
  expect(data).toMatchObject([{ id: 'gemma3-mqa', status: { value: 'loaded' } }, { status: { value: 'unloaded' } }])
})

test('what a model caches stays within what was planned for it', async () => {
  const models = new Models({
    ...{
      models: [{ name: 'a', source: bundledModel() }],
      load: { inline: true, threads: 1, contextLength: 128 },
      anyModel: false,
    },
    ...{ memoryBytes: WEIGHTS + 500_000, keepAlive: undefined, told: () => {} },
  })
  const { engine, release } = await models.lease('a', new AbortController().signal)
  for (let i = 0; i < 8; i++) await engine.generate(`${i} Once upon a time. `.repeat(14), { maxTokens: 2 })
  const { bytes, keptBytes } = await engine.cacheStats()
  expect(keptBytes).toBeGreaterThan(0)
  expect(bytes + keptBytes).toBeLessThanOrEqual(500_000)
  release()
  await models.dispose()
})

test('a model that is not here is refused with the name that was meant', async () => {
  const server = await testServer({ models: [GEMMA] })
  const { status, body } = await post(server, '/v1/completions', { model: 'gema3-mqa', prompt: 'a', max_tokens: 1 })
  expect([status, body]).toMatchObject([
    404,
    { error: { message: expect.stringContaining('did you mean gemma3-mqa?') } },
  ])
})

test('the cache of a text counts its states and its source beside its rows', () => {
  const info = { contextLength: 100, cacheBytesPerToken: 0, cacheStateBytes: 5000, source: null } as ModelInfo
  expect(longestTextBytes(info)).toBe(10_000)
  const source = { contextLength: 10, cacheBytesPerToken: 8 }
  expect(longestTextBytes({ ...info, cacheBytesPerToken: 4, cacheStateBytes: 0, source })).toBe(480)
})
