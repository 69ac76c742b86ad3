/** What sessions of one engine share, as its users see it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CacheFullError, type Engine } from '../../src/index.ts'
import { loadTales, PLAIN_TEMPLATE } from './tales.ts'

const GREEDY = { temperature: 0, ignoreEos: true } as const
const STORY = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '
/** 9 blocks of 64 tokens, with which every prompt begins here. */
const LONG = STORY.repeat(26)

describe('sessions of one engine', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await loadTales({ chatTemplate: PLAIN_TEMPLATE })
  })
  afterAll(() => engine.dispose())

  it('find what others have read, also when those are gone', async () => {
    const cold = await engine.generate(`${LONG}The fox`, { ...GREEDY, maxTokens: 20, reuse: false })
    expect(cold.usage.cachedTokens).toBe(0)
    const session = engine.session()
    const warm = await session.prompt(`${LONG}The fox`, { ...GREEDY, maxTokens: 20 })
    expect(warm.usage.cachedTokens).toBeGreaterThan(500)
    expect(warm.text).toBe(cold.text)
    const other = await engine.generate(`${LONG}A bear`, { ...GREEDY, maxTokens: 20 })
    expect(other.usage.cachedTokens).toBeGreaterThan(400)
    expect(other.text).toBe((await engine.generate(`${LONG}A bear`, { ...GREEDY, maxTokens: 20, reuse: false })).text)
    await session.dispose()
    const { bytes, keptBytes } = await engine.cacheStats()
    expect(bytes).toBe(0)
    expect(keptBytes).toBeGreaterThan(500 * engine.info.cacheBytesPerToken)
  })

  it('fork without copying', async () => {
    const session = engine.session()
    const first = await session.prompt(LONG, { ...GREEDY, maxTokens: 6 })
    const { bytes } = await engine.cacheStats()
    const fork = await session.fork()
    expect(fork.tokens).toEqual(session.tokens)
    expect(fork.cache).toEqual(session.cache)
    expect((await engine.cacheStats()).bytes).toBe(bytes)
    const [a, b] = await Promise.all([
      session.prompt('', { ...GREEDY, maxTokens: 14 }),
      fork.prompt('', { ...GREEDY, maxTokens: 14 }),
    ])
    const whole = await engine.generate(LONG, { ...GREEDY, maxTokens: 20, reuse: false })
    expect([first.text + a.text, first.text + b.text]).toEqual([whole.text, whole.text])
    const block = 64 * engine.info.cacheBytesPerToken
    expect((await engine.cacheStats()).bytes - bytes).toBeLessThanOrEqual(2 * block)
    await session.dispose()
    expect((await fork.prompt(' Then', { ...GREEDY, maxTokens: 2 })).usage.cachedTokens).toBe(fork.tokens.length - 3)
    await fork.dispose()
    await expect(fork.fork()).rejects.toThrow(/session has been disposed/)
  })

  it.each([
    ['a text', `${LONG}The fox`],
    ['messages', [{ role: 'user', content: LONG }]],
  ])('go on from %s in several ways, each as if it were alone', async (_, prompt) => {
    const session = engine.session()
    const options = { temperature: 1, seed: 7, maxTokens: 12, ignoreEos: true }
    const several = await session.continuations(prompt, 3, options)
    const texts = await Promise.all(several.map(({ generation }) => generation))
    for (const [i, { text, usage, seed }] of texts.entries()) {
      const alone = await engine.generate(prompt, { ...options, seed: 7 + i, reuse: false })
      expect([text, seed, usage.promptTokens]).toEqual([alone.text, 7 + i, alone.usage.promptTokens])
      expect(usage.cachedTokens).toBe(usage.promptTokens - 1)
    }
    expect(new Set(texts.map(t => t.text)).size).toBeGreaterThan(1)
    for (const s of [session, ...several.map(c => c.session)]) await s.dispose()
  })
})

describe('a budget for all caches', () => {
  const TOKENS = 64 * 12
  let engine: Engine
  beforeAll(async () => {
    const probe = await loadTales()
    const { cacheBytesPerToken } = probe.info
    await probe.dispose()
    engine = await loadTales({ cacheBytes: TOKENS * cacheBytesPerToken })
  })
  afterAll(() => engine.dispose())
  const allocated = async () => (await engine.cacheStats()).allocatedBytes / engine.info.cacheBytesPerToken

  it('gives up what nobody holds, then what idle sessions hold, and the text stays the same', async () => {
    const session = engine.session()
    const options = { ...GREEDY, maxTokens: 8, strict: true }
    const first = await session.prompt(LONG, options)
    for (let i = 0; i < 4; i++) {
      await engine.generate(`The king ${i} said: ${LONG}`, options)
      expect(await allocated()).toBeLessThanOrEqual(TOKENS)
    }
    // Its rows are gone; what it says next is computed anew.
    const more = await session.prompt(' Then', options)
    expect(more.usage.cachedTokens).toBeLessThan(2)
    const alone = await engine.generate(`${LONG}${first.text} Then`, { ...options, reuse: false })
    expect(alone.usage.promptTokens).toBe(more.usage.promptTokens)
    expect(more.text).toBe(alone.text)
    await session.dispose()
  })

  it('24: lets prompts wait for each other', async () => {
    const prompts = ['A', 'The', 'In', 'One'].map(word => `${word} ${LONG}`)
    const alone = []
    for (const prompt of prompts) alone.push((await engine.generate(prompt, { ...GREEDY, maxTokens: 30 })).text)
    const together = prompts.map(prompt => engine.generate(prompt, { ...GREEDY, maxTokens: 30, reuse: false }))
    expect((await Promise.all(together)).map(r => r.text)).toEqual(alone)
    expect(await allocated()).toBeLessThanOrEqual(TOKENS)
  })

  it('refuses what can never fit, and goes on', async () => {
    await expect(engine.generate(LONG + LONG, { ...GREEDY, maxTokens: 4 })).rejects.toThrow(CacheFullError)
    expect((await engine.generate('A fox', { ...GREEDY, maxTokens: 4 })).finishReason).toBe('length')
    expect(await allocated()).toBeLessThanOrEqual(TOKENS)
  })
})
