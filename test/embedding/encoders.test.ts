/**
 * Encoders with random weights, as test/interop/make_embeddings.py makes them: the vectors and scores of transformers, from
 * safetensors and from GGUF, and the same bits alone and in batches.
 */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { inspectModel } from '../../src/tools.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { tempFolder } from '../support/temp-folder.ts'

const ROOT = 'test/fixtures/embeddings'
type Vectors = readonly (readonly number[])[]
interface Expected {
  readonly texts: readonly string[]
  readonly ids: Vectors
  readonly mean: Vectors
  readonly cls?: Vectors
  readonly last?: Vectors
  readonly query?: Vectors
}
const expectedOf = async <T>(name: string) => JSON.parse(await readFile(`${ROOT}/${name}/expected.json`, 'utf8')) as T

function furthest(vectors: readonly Float32Array[], expected: Vectors): number {
  expect(vectors.length).toBe(expected.length)
  const apart = (row: readonly number[], i: number) => row.map((x, j) => Math.abs(x - (vectors[i]?.[j] ?? Number.NaN)))
  return Math.max(...expected.flatMap(apart))
}

const MODELS = [
  ['bert', 'bert'],
  ['bert.gguf', 'bert'],
  ['roberta', 'roberta'],
  ['xlm-roberta', 'xlm-roberta'],
  ['xlm-roberta.gguf', 'xlm-roberta'],
  ['nomic-bert', 'nomic-bert'],
  ['nomic-bert.gguf', 'nomic-bert'],
] as const
const RERANKERS = [
  ['bert-reranker', 'bert-reranker'],
  ['roberta-reranker', 'roberta-reranker'],
  ['xlm-roberta-reranker', 'xlm-roberta-reranker'],
  ['xlm-roberta-reranker.gguf', 'xlm-roberta-reranker'],
] as const
const sets = KERNEL_SETS.filter(({ missing }) => missing === null).map(({ name }) => name)

describe.each(sets)('encoders on %s', kernels => {
  const load = (name: string) =>
    Engine.load(`${ROOT}/${name}`, { kernels: kernels as 'native', inline: true, threads: 2 })

  it.each(MODELS)('%s has the vectors of transformers, with the same bits alone and together', async (file, name) => {
    const engine = await load(file)
    const { texts, ids, mean, cls, last } = await expectedOf<Expected>(name)
    for (const [i, text] of texts.entries()) {
      expect(await engine.tokenize(text, { addSpecialTokens: true, parseSpecial: false }), text).toEqual(ids[i])
    }
    expect(engine.info).toMatchObject({ generates: false, reranks: false, warnings: [] })
    const { embeddings, usage } = await engine.embed(texts)
    expect(furthest(embeddings, mean)).toBeLessThan(1e-5)
    expect(usage.tokens).toBe(ids.flat().length)
    for (const [i, text] of texts.entries()) expect((await engine.embed(text)).embeddings[0]).toEqual(embeddings[i])
    expect((await engine.embed(ids)).embeddings).toEqual(embeddings)
    if (cls) expect(furthest((await engine.embed(texts, { pooling: 'cls' })).embeddings, cls)).toBeLessThan(1e-5)
    const plain = { pooling: 'last', normalize: false } as const
    if (last) expect(furthest((await engine.embed(texts, plain)).embeddings, last)).toBeLessThan(1e-5)
    expect((await engine.cacheStats()).allocatedBytes).toBe(0)
    await engine.dispose()
  })

  it.each(RERANKERS)('%s has the scores of transformers', async (file, name) => {
    const engine = await load(file)
    type Scores = { query: string; documents: readonly string[]; scores: readonly number[] }
    const { query, documents, scores } = await expectedOf<Scores>(name)
    expect(engine.info.reranks).toBe(true)
    const { ranking } = await engine.rerank(query, documents)
    expect(ranking.map(({ score }) => score)).toEqual(ranking.map(({ score }) => score).sort((a, b) => b - a))
    for (const { index, score } of ranking) {
      expect(Math.abs(score - (scores[index] as number)), documents[index]).toBeLessThan(1e-5)
      const alone = await engine.rerank(query, [documents[index] as string])
      expect(alone.ranking).toEqual([{ index: 0, score }])
    }
    expect((await engine.rerank(query, documents, { topN: 2 })).ranking).toEqual(ranking.slice(0, 2))
    await engine.dispose()
  })
})

describe('what the files of sentence-transformers say', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await Engine.load(`${ROOT}/bert`, { inline: true })
  })
  afterAll(() => engine.dispose())

  it('is reported and done', async () => {
    const { texts, query } = await expectedOf<Required<Expected>>('bert')
    expect(engine.info.embedding).toEqual({
      ...{ pooling: 'mean', normalize: true, dimensions: 32, maxTokens: 40 },
      ...{ prompts: { query: 'the old fox said: ', document: '' }, defaultPrompt: null },
    })
    const { embeddings } = await engine.embed(texts.slice(0, 2), { promptName: 'query' })
    expect(furthest(embeddings, query)).toBeLessThan(1e-5)
  })

  it.each([
    ['promptName is "quest"; expected query, document', { promptName: 'quest' }],
    ['prompt and promptName were given', { promptName: 'query', prompt: '' }],
  ])('refuses what it does not: %s', async (message, options) => {
    await expect(engine.embed('x', options)).rejects.toThrow(message)
  })

  it('limits texts, which are cut before the token that closes them', async () => {
    const long = 'cat '.repeat(50)
    const message = 'texts[0] has 52 tokens; this model reads at most 40 (sentence_bert_config.json)'
    await expect(engine.embed(long)).rejects.toThrow(message)
    const ids = await engine.tokenize('cat '.repeat(38), { addSpecialTokens: true })
    expect((await engine.embed(long, { truncate: true })).embeddings).toEqual((await engine.embed(ids)).embeddings)
    await expect(engine.embed(' ')).rejects.toThrow('texts[0] is without a token')
  })

  it.each([
    ['1_Pooling/config.json', '{"pooling_mode_max_tokens": true}', 'pools by pooling_mode_max_tokens'],
    ['1_Pooling/config.json', '{"pooling_mode_mean_tokens": true, "include_prompt": false}', 'include_prompt'],
    ['1_Pooling/config.json', '{', 'is not JSON'],
    ['modules.json', '[{"type": "x.Transformer", "path": ""}, {"type": "x.Dense", "path": "2_Dense"}]', 'x.Dense'],
    ['modules.json', '{}', 'expected a list of JSON objects'],
    ['sentence_bert_config.json', '{"max_seq_length": "40"}', 'max_seq_length'],
    ['config_sentence_transformers.json', '{"prompts": {"a": 1}}', 'an object of texts'],
    ['config_sentence_transformers.json', '{"prompts": {"a": ""}, "default_prompt_name": "b"}', 'one of its prompts'],
  ])('is refused where latentkit does not compute it: %s with %s', async (file, text, message) => {
    const folder = join(tempFolder(), 'model')
    await cp(`${ROOT}/bert`, folder, { recursive: true })
    await writeFile(join(folder, file), text)
    const changed = await Engine.load(folder, { inline: true })
    await expect(changed.embed('x')).rejects.toThrow(message)
    await changed.dispose()
  })

  it('puts the default prompt before texts, unless another is named', async () => {
    const folder = join(tempFolder(), 'model')
    await cp(`${ROOT}/bert`, folder, { recursive: true })
    const prompts = '{"prompts": {"query": "the old fox said: ", "document": ""}, "default_prompt_name": "query"}'
    await writeFile(join(folder, 'config_sentence_transformers.json'), prompts)
    const changed = await Engine.load(folder, { inline: true })
    const { embeddings } = await engine.embed('the cat', { promptName: 'query' })
    expect((await changed.embed('the cat')).embeddings).toEqual(embeddings)
    const plain = await engine.embed('the cat')
    for (const options of [{ promptName: 'document' }, { prompt: '' }]) {
      expect((await changed.embed('the cat', options)).embeddings).toEqual(plain.embeddings)
    }
    await changed.dispose()
  })

  it.each([
    ['{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}', 'cls'],
    ['{"pooling_mode": "lasttoken"}', 'last'],
  ])('chooses the pooling: %s', async (text, pooling) => {
    const folder = join(tempFolder(), 'model')
    await cp(`${ROOT}/bert`, folder, { recursive: true })
    await writeFile(join(folder, '1_Pooling/config.json'), text)
    await writeFile(
      join(folder, 'modules.json'),
      '[{"type": "x.Transformer"}, {"type": "x.Pooling", "path": "1_Pooling"}]',
    )
    const changed = await Engine.load(folder, { inline: true })
    expect(changed.info.embedding).toMatchObject({ pooling, normalize: false })
    await changed.dispose()
  })
})

describe('a tokenizer of unigrams', () => {
  it.each(['xlm-roberta', 'xlm-roberta.gguf'])('of %s makes no control token of a text', async file => {
    const engine = await Engine.load(`${ROOT}/${file}`, { inline: true })
    const ids = await engine.tokenize('the cat</s> <s> sat<pad><mask>[PAD57] <unk>', { parseSpecial: false })
    const unknown = 3
    expect(ids.filter(id => id < unknown)).toEqual([])
    const [first, last] = [await engine.tokenize('the cat</s>'), await engine.tokenize('the cat')]
    expect(first).toEqual([...last, 2])
    await engine.dispose()
  })
})

describe('an encoder', () => {
  it('writes nothing, and says what it is for', async () => {
    const engine = await Engine.load(`${ROOT}/bert-reranker`, { inline: true })
    const message = /bert-reranker \(bert\) is an encoder: .* Use engine\.rerank\(\) or engine\.embed\(\)/
    expect(() => engine.session()).toThrow(message)
    expect(() => engine.generate('x')).toThrow(message)
    await expect(engine.restore('x')).rejects.toThrow(message)
    await expect(engine.rerank('x', ['x', ''])).rejects.toThrow('documents[1] is empty')
    await expect(engine.rerank('', ['x'])).rejects.toThrow('query is empty')
    const long = 'cat '.repeat(60)
    await expect(engine.rerank('cat', [long])).rejects.toThrow('documents[0] with the query has 64 tokens')
    expect((await engine.rerank('cat', [long], { truncate: true })).truncated).toEqual([0])
    await expect(engine.rerank(long, ['x'], { truncate: true })).rejects.toThrow('query leaves no room')
    await engine.dispose()
  })

  it('is inspected', async () => {
    const { config, unused } = await inspectModel(`${ROOT}/bert-reranker`)
    expect(config.encoder).toEqual({ tokenTypes: 2, firstPosition: 0, head: { scores: 1, dense: true } })
    expect(unused).toEqual([])
  })
})
