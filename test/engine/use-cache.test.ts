/** Without a cache every token is computed anew for each further one: the same text, and as much work as counting says. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { PromptOptions } from '../../src/index.ts'
import { Model } from '../../src/model/model.ts'
import { loadTales } from './tales.ts'

const PROMPTS = ['Once upon a time', 'There was a king who had three sons. '.repeat(18)]

/** Tokens that went through the model. */
function counted() {
  const forward = Model.prototype.forward
  let passes = 0
  vi.spyOn(Model.prototype, 'forward').mockImplementation(function (this: Model, inputs, ...others) {
    passes += inputs.reduce((n, { tokens }) => n + tokens.length, 0)
    return forward.call(this, inputs, ...others)
  })
  return () => {
    const found = passes
    passes = 0
    return found
  }
}

afterEach(() => vi.restoreAllMocks())

describe('useCache: false', () => {
  it.each(PROMPTS)('writes the same text after "%s"', async prompt => {
    const engine = await loadTales()
    const passes = counted()
    const options: PromptOptions = { maxTokens: 12, seed: 5, temperature: 0.9, ignoreEos: true }
    const with_ = await engine.session().prompt(prompt, { ...options, reuse: false })
    const cached = passes()
    const session = engine.session()
    const without = await session.prompt(prompt, { ...options, useCache: false })
    expect(without.tokenIds).toEqual(with_.tokenIds)
    expect(without.text).toBe(with_.text)
    const read = with_.usage.promptTokens
    const n = 12
    expect(cached).toBe(read + n)
    // Each further token reads the prompt and those before it; the last one's row is added at the end.
    expect(passes()).toBe(n * read + (n * (n - 1)) / 2 + 1)
    // The session goes on as any other.
    expect(session.cache.tokens).toBe(read + n)
    const more = { ...options, seed: 6 }
    const next = await session.prompt(' The end', more)
    const other = engine.session()
    await other.prompt(prompt, { ...options, reuse: false })
    expect((await other.prompt(' The end', more)).tokenIds).toEqual(next.tokenIds)
    await engine.dispose()
  })

  it('is the same text with guesses, too', async () => {
    const engine = await loadTales()
    const options = { maxTokens: 20, temperature: 0, speculation: 'ngram' } as const
    const expected = await engine.session().prompt(PROMPTS[1] as string, { ...options, reuse: false })
    const found = await engine.session().prompt(PROMPTS[1] as string, { ...options, useCache: false })
    expect(found.tokenIds).toEqual(expected.tokenIds)
    await engine.dispose()
  })

  it('refuses what stands on cached rows', async () => {
    const engine = await loadTales()
    const beams = engine.session().prompt('Once', { useCache: false, beams: { width: 2 }, maxTokens: 2 })
    await expect(beams).rejects.toThrow('useCache is false and beams were given')
    await engine.dispose()
  })
})
