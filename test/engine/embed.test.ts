import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EmbedProgress, Engine } from '../../src/index.ts'
import { loadTales } from './tales.ts'

const TEXTS = ['Once upon a time', 'A dog ran.', 'The old fox said to the hen that it was late. '.repeat(12), 'x']

describe('embeddings of a decoder', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await loadTales()
  })
  afterAll(() => engine.dispose())

  it.each(['mean', 'last', 'cls'] as const)('pooled by %s have the same bits alone and together', async pooling => {
    const { embeddings, usage, truncated } = await engine.embed(TEXTS, { pooling })
    expect(truncated).toEqual([])
    let tokens = 0
    for (const [i, text] of TEXTS.entries()) {
      const one = await engine.embed(text, { pooling })
      expect(one.embeddings).toEqual([embeddings[i]])
      tokens += one.usage.tokens
      expect(Math.hypot(...(embeddings[i] as Float32Array))).toBeCloseTo(1, 6)
    }
    expect(usage.tokens).toBe(tokens)
  })

  it('take token ids as they are, of one text or several', async () => {
    const ids = await engine.tokenize(TEXTS[0] as string)
    const { embeddings } = await engine.embed(TEXTS[0] as string)
    expect((await engine.embed(ids)).embeddings).toEqual(embeddings)
    expect((await engine.embed([ids, Int32Array.from(ids)])).embeddings).toEqual([...embeddings, ...embeddings])
    expect((await engine.embed([])).embeddings).toEqual([])
  })

  it('are cut to dimensions and normalised again', async () => {
    const [plain] = (await engine.embed('A dog ran.', { normalize: false })).embeddings as [Float32Array]
    const [cut] = (await engine.embed('A dog ran.', { dimensions: 16 })).embeddings as [Float32Array]
    const length = Math.hypot(...plain.subarray(0, 16))
    expect([...cut]).toEqual([...plain.subarray(0, 16)].map(x => expect.closeTo(x / length, 6)))
  })

  it('begin with a prompt', async () => {
    const { embeddings } = await engine.embed('query: A dog ran.')
    expect((await engine.embed('A dog ran.', { prompt: 'query: ' })).embeddings).toEqual(embeddings)
  })

  it('of a text that is too long are an error that names the limit, or of its beginning', async () => {
    const long = 'word '.repeat(2100)
    const message = "texts[1] has 2102 tokens; this model reads at most 2048 (the model's context)"
    await expect(engine.embed(['x', long])).rejects.toThrow(message)
    const { embeddings, truncated, usage } = await engine.embed(['x', long], { truncate: true })
    expect(truncated).toEqual([1])
    const whole = await engine.tokenize(long)
    expect((await engine.embed(whole.slice(0, 2048))).embeddings[0]).toEqual(embeddings[1])
    expect(usage.tokens).toBe(2048 + (await engine.embed('x')).usage.tokens)
  })

  it.each([
    ['texts[1] is empty', ['a', ''], {}],
    ['texts[0] is an empty list', [[]], {}],
    ['texts[1] is 5; expected a text', ['a', 5], {}],
    ['texts[0][1] is 99999; expected a token id below', [[1, 99999]], {}],
    ['texts[1] is -1; expected a token id', [1, -1], {}],
    ['pooling is "max"; expected mean, last, cls', ['a'], { pooling: 'max' }],
    ['did you mean dimensions?', ['a'], { dimension: 3 }],
    ["dimensions is 257; this model's vectors have 256", ['a'], { dimensions: 257 }],
    ['this model names no prompts', ['a'], { promptName: 'query' }],
  ])('are refused: %s', async (message, texts, options) => {
    await expect(engine.embed(texts as string[], options as object)).rejects.toThrow(message)
  })

  it('do not disturb a text that is written beside them', async () => {
    const options = { temperature: 0, maxTokens: 40, ignoreEos: true } as const
    const { text } = await engine.generate('Once upon a time', options)
    const [beside, vectors] = await Promise.all([
      engine.generate('Once upon a time', options),
      engine.embed(TEXTS),
      engine.embed(TEXTS),
    ])
    expect(beside.text).toBe(text)
    expect(vectors.embeddings).toEqual((await engine.embed(TEXTS)).embeddings)
    expect(engine.info).toMatchObject({
      generates: true,
      reranks: false,
      embedding: { dimensions: 256, maxTokens: 2048 },
    })
    await expect(engine.rerank('a', ['b'])).rejects.toThrow('is no reranker')
  })
})

it('embeddings report progress and end when they are aborted, and the engine goes on', async () => {
  const engine = await loadTales()
  const many = Array.from({ length: 400 }, (_, i) => `${TEXTS[2]} ${i}`)
  const seen: EmbedProgress[] = []
  await engine.embed(TEXTS, { onProgress: p => seen.push(p) })
  expect(seen.at(-1)).toEqual({ texts: 4, total: 4 })
  const abort = new AbortController()
  const reason = new Error('enough')
  const begun = engine.embed(many, { signal: abort.signal, onProgress: () => abort.abort(reason) })
  await expect(begun).rejects.toBe(reason)
  expect((await engine.embed('x')).embeddings).toHaveLength(1)
  const last = engine.embed(many)
  const ended = expect(last).rejects.toThrow('disposed')
  await engine.dispose()
  await ended
})
