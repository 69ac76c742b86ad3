import { describe, expect, it, vi } from 'vitest'
import { batchesOf } from '../../src/embedding/batches.ts'
import { Embedder } from '../../src/embedding/embedder.ts'
import { finished, meanRow } from '../../src/embedding/pooling.ts'
import { embeddingSettings } from '../../src/embedding/settings.ts'

describe('batches', () => {
  it('hold every text once, the longest first, within the budget unless one text is longer', () => {
    expect(batchesOf([3, 9, 1, 4, 4, 20], 10)).toEqual([[5], [1], [3, 4], [0, 2]])
    expect(batchesOf([], 10)).toEqual([])
  })
})

describe('vectors', () => {
  const rows = Float32Array.of(9, 9, 1, 2, 3, 4, 9, 9)

  it('are means of rows', () => expect([...meanRow(rows, 1, 2, 2)]).toEqual([2, 3]))
  it('are cut, then normalised', () => {
    expect([...finished([3, 4, 12], 2, true)]).toEqual([0.6, 0.8].map(Math.fround))
    expect([...finished([3, 4, 12], 2, false)]).toEqual([3, 4])
  })
  it('of zeros stay zeros', () => expect([...finished([0, 0], 2, true)]).toEqual([0, 0]))
})

describe('what a checkpoint leaves unsaid', () => {
  const encoder = { tokenTypes: 2, firstPosition: 0, head: null }

  it('is the last token of a decoder, the mean of an encoder, normalised', () => {
    expect(embeddingSettings({ hiddenSize: 8 }, undefined, 64)).toMatchObject({ pooling: 'last', normalize: true })
    expect(embeddingSettings({ hiddenSize: 8, encoder }, undefined, 64)).toMatchObject({ pooling: 'mean' })
  })
  it('does not overrule what it says, nor the context', () => {
    const facts = { pooling: 'cls', normalize: false, limit: { tokens: 32, file: 'f.json' } } as const
    const settings = embeddingSettings({ hiddenSize: 8 }, facts, 64)
    expect(settings).toMatchObject({ pooling: 'cls', normalize: false, maxTokens: 32, limitedBy: 'f.json' })
    expect(embeddingSettings({ hiddenSize: 8 }, facts, 16)).toMatchObject({
      maxTokens: 16,
      limitedBy: "the model's context",
    })
  })
})

describe('a call', () => {
  const settings = embeddingSettings({ hiddenSize: 1 }, undefined, 64)
  const given = { pooling: 'last', normalize: false, dimensions: 1, truncate: false, prompt: '' } as const
  const work = { turn: <T>(job: () => Promise<T>) => job(), pause: async () => {} }

  it.each([
    ['ends', async () => Float32Array.of(3)],
    ['fails', () => Promise.reject(new Error('broken'))],
  ])('gives its memory back when it %s', async (_, hidden) => {
    const dispose = vi.fn()
    const model = { config: { vocabSize: 9 }, textReader: () => ({ hidden, dispose }) }
    await new Embedder(model as never, {} as never, settings).embed([[1], [2]], given, work).catch(() => {})
    expect(dispose).toHaveBeenCalledTimes(1)
  })
})
