import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Chunk, Engine } from '../../src/index.ts'
import { loadTales } from './tales.ts'

const PROMPT = 'Once upon a time'

describe('log-probabilities', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await loadTales()
  })
  afterAll(() => engine.dispose())

  it('come with every token, in chunks and result, with the likeliest at its place', async () => {
    const generation = engine.generate(PROMPT, { temperature: 0, maxTokens: 20, logprobs: 3 })
    const chunks: Chunk[] = []
    for await (const chunk of generation) chunks.push(chunk)
    const { tokenIds, logprobs } = await generation
    expect(chunks.map(({ logprobs: of }) => of)).toEqual(logprobs)
    expect(logprobs?.map(({ id }) => id)).toEqual(tokenIds)
    for (const { id, logprob, top } of logprobs ?? []) {
      expect(logprob).toBeLessThan(0)
      expect(top).toHaveLength(3)
      expect(top[0]).toEqual({ id, logprob })
      expect(top.reduce((sum, one) => sum + Math.exp(one.logprob), 0)).toBeLessThanOrEqual(1 + 1e-9)
    }
    expect((await engine.generate(PROMPT, { maxTokens: 2 })).logprobs).toBeUndefined()
  })

  it("are the model's own, whatever tokens are drawn with", async () => {
    const options = { seed: 4, temperature: 1.3, topK: 20, repetitionPenalty: 1.5, maxTokens: 12, logprobs: 0 }
    const { tokenIds, logprobs = [] } = await engine.generate(PROMPT, options)
    const session = engine.session()
    for (const [i, id] of tokenIds.entries()) {
      const text = PROMPT + (await engine.detokenize(tokenIds.slice(0, i)))
      const { logprobs: plain } = await session.prompt(text, { temperature: 0, maxTokens: 1, logprobs: 4096 })
      const own = plain?.[0]?.top.find(one => one.id === id)
      // Read as a prompt, on the other path: equal to rounding.
      expect(logprobs[i]?.logprob).toBeCloseTo(own?.logprob as number, 2)
      await session.reset()
    }
  })

  it('has one of the token that ends the text', async () => {
    const { tokenIds, logprobs, finishReason } = await engine.generate(PROMPT, { seed: 2, minP: 0.1, logprobs: 0 })
    expect(finishReason).toBe('stop')
    expect(logprobs).toHaveLength(tokenIds.length + 1)
  })

  it('tell the best of several texts', async () => {
    const session = engine.session()
    const options = { seed: 7, temperature: 1, maxTokens: 15 }
    const best = await session.bestOf(PROMPT, 5, options)
    const mean = (all: readonly { logprob: number }[] = []) => all.reduce((s, one) => s + one.logprob, 0) / all.length
    const means: number[] = []
    for (let seed = 7; seed < 12; seed++) {
      const { logprobs } = await engine.generate(PROMPT, { ...options, seed, logprobs: 0 })
      means.push(mean(logprobs))
    }
    expect(mean(best.completion.logprobs)).toBeCloseTo(Math.max(...means), 6)
    expect(best.completion.seed).toBe(7 + means.indexOf(Math.max(...means)))
    expect(best.session.tokens.slice(-15)).toEqual(best.completion.tokenIds)
    // Its session goes on; the others are gone.
    await best.session.prompt('', { maxTokens: 2 })
    await best.session.dispose()
    await expect(session.bestOf(PROMPT, 0)).rejects.toThrow(/n is 0/)
    await expect(session.bestOf(PROMPT, 2 ** 53 - 1)).rejects.toThrow(/n is 9007199254740991; expected .*1024/)
    await session.dispose()
    expect((await engine.cacheStats()).bytes).toBe(0)
  })
})
