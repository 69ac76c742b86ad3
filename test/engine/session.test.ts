import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ContextLengthError, type Engine, type Message, OptionError } from '../../src/index.ts'
import { loadTales, PLAIN_TEMPLATE } from './tales.ts'

const GREEDY = { temperature: 0, ignoreEos: true } as const
const STORY = 'Once upon a time, there was a little girl named Lily.'

describe('sessions', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await loadTales({ chatTemplate: PLAIN_TEMPLATE, contextLength: 512 })
  })
  afterAll(() => engine.dispose())

  it('count their cache exactly', async () => {
    const { cacheBytesPerToken: row } = engine.info
    const session = engine.session()
    expect(session.cache).toEqual({ tokens: 0, usedBytes: 0, bytes: 0 })
    const first = await session.prompt(STORY, { ...GREEDY, maxTokens: 10 })
    expect(first.usage).toEqual({
      promptTokens: 14,
      cachedTokens: 0,
      completionTokens: 10,
      draftTokens: 0,
      acceptedTokens: 0,
    })
    expect(session.tokens).toHaveLength(24)
    expect(session.cache).toEqual({ tokens: 24, usedBytes: 24 * row, bytes: 64 * row })
    const second = await session.prompt(' And', { ...GREEDY, maxTokens: 60 })
    expect(second.usage).toEqual({
      promptTokens: 25,
      cachedTokens: 24,
      completionTokens: 60,
      draftTokens: 0,
      acceptedTokens: 0,
    })
    expect(session.tokens).toHaveLength(85)
    expect(session.cache).toEqual({ tokens: 85, usedBytes: 85 * row, bytes: 128 * row })
    await session.reset()
    expect(session.cache).toEqual({ tokens: 0, usedBytes: 0, bytes: 0 })
    expect(session.tokens).toEqual([])
    await session.dispose()
  })

  it('hold bos, prompt and answer, in order', async () => {
    const session = engine.session()
    const { tokenIds } = await session.prompt(STORY, { ...GREEDY, maxTokens: 5 })
    expect(session.tokens).toEqual([0, ...(await engine.tokenize(STORY)), ...tokenIds])
  })

  it('go on where they stopped', async () => {
    const whole = await engine.session().prompt(STORY, { ...GREEDY, maxTokens: 40 })
    const session = engine.session()
    const parts: string[] = []
    for (const maxTokens of [1, 19, 20]) {
      const prompt: string = parts.length === 0 ? STORY : ''
      parts.push((await session.prompt(prompt, { ...GREEDY, maxTokens })).text)
    }
    expect(parts.join('')).toBe(whole.text)
  })

  it('start again after a reset as on the first day', async () => {
    const session = engine.session()
    const first = await session.prompt(STORY, { ...GREEDY, maxTokens: 20 })
    await session.reset()
    expect((await session.prompt(STORY, { ...GREEDY, maxTokens: 20 })).text).toBe(first.text)
  })

  it('reuse the beginning of a conversation', async () => {
    const session = engine.session()
    const messages: Message[] = [{ role: 'user', content: 'Tell me a tale about a fox and a bear in the wood.' }]
    const first = await session.prompt(messages, { ...GREEDY, maxTokens: 24 })
    expect(first.usage.cachedTokens).toBe(0)
    const again = await session.prompt(messages, { ...GREEDY, maxTokens: 24 })
    expect(again).toMatchObject({ text: first.text, usage: { cachedTokens: first.usage.promptTokens - 1 } })

    const next: Message[] = [
      ...messages,
      { role: 'assistant', content: first.text },
      { role: 'user', content: 'Go on.' },
    ]
    const warm = await session.prompt(next, { ...GREEDY, maxTokens: 24 })
    // Text written and read again may be cut into other tokens near its end.
    expect(warm.usage.cachedTokens).toBeGreaterThan(first.usage.promptTokens)
    const cold = await engine.generate(next, { ...GREEDY, maxTokens: 24, reuse: false })
    expect(cold.usage).toMatchObject({ cachedTokens: 0, promptTokens: warm.usage.promptTokens })
    expect(warm.text).toBe(cold.text)

    // Another turn in place of the last one: what differs is forgotten.
    const other: Message[] = [...next.slice(0, 2), { role: 'user', content: 'Stop it.' }]
    const turned = await session.prompt(other, { ...GREEDY, maxTokens: 8, strict: true })
    expect(turned.usage.cachedTokens).toBeGreaterThan(first.usage.promptTokens)
    expect(turned.text).toBe((await engine.generate(other, { ...GREEDY, maxTokens: 8, reuse: false })).text)
  })

  it('run their own prompts one after the other', async () => {
    const session = engine.session()
    const first = session.prompt(STORY, { ...GREEDY, maxTokens: 12 })
    const second = session.prompt(' Then', { ...GREEDY, maxTokens: 3 })
    expect((await second).usage.promptTokens).toBe((await first).usage.promptTokens + 12 + 1)
  })

  it('generate together what each generates alone', async () => {
    const prompts = ['The king', 'A fox and', STORY, 'In the wood there lived']
    const options = (i: number) => ({ seed: i, temperature: 1, maxTokens: 30, ignoreEos: true })
    const alone = []
    for (const [i, prompt] of prompts.entries()) alone.push((await engine.generate(prompt, options(i))).text)
    const together = await Promise.all(prompts.map((prompt, i) => engine.generate(prompt, options(i))))
    expect(together.map(r => r.text)).toEqual(alone)
  })

  it('draw the same text for the same seed, which is told', async () => {
    const first = await engine.generate('A fox', { maxTokens: 30, temperature: 1 })
    const again = await engine.generate('A fox', { maxTokens: 30, temperature: 1, seed: first.seed })
    const other = await engine.generate('A fox', { maxTokens: 30, temperature: 1, seed: first.seed + 1 })
    expect(again.text).toBe(first.text)
    expect(other.text).not.toBe(first.text)
  })

  it('say so when the context is full', async () => {
    const session = engine.session({ contextLength: 40 })
    const result = await session.prompt(STORY, GREEDY)
    expect(result).toMatchObject({ finishReason: 'context', usage: { completionTokens: 26 } })
    expect(session.cache.tokens).toBe(40)
    const more = session.prompt(' And')
    await expect(more).rejects.toThrow(ContextLengthError)
    await expect(more).rejects.toThrow(/41 tokens.*context is 40/)
    expect(session.tokens).toHaveLength(40)
    await session.reset()
    expect((await session.prompt('A', { ...GREEDY, maxTokens: 2 })).finishReason).toBe('length')
  })

  it('refuse wrong options by name, and stay', async () => {
    const session = engine.session()
    await expect(session.prompt('A', { maxTokens: -1 })).rejects.toThrow(/maxTokens is -1/)
    await expect(session.prompt('A', { temperature: Number.NaN })).rejects.toThrow(OptionError)
    await expect(session.prompt('A', { stopSequences: [''] })).rejects.toThrow(OptionError)
    await expect(session.prompt('A', { attentionPath: 'x' as 'absorbed' })).rejects.toThrow(/expanded, absorbed/)
    await expect(session.prompt([{ role: 1 } as unknown as Message])).rejects.toThrow(/messages\[0\]\.role/)
    await expect(session.prompt(5 as unknown as string)).rejects.toThrow(OptionError)
    await expect(session.prompt('', { addSpecialTokens: false })).rejects.toThrow(/empty/)
    expect(() => engine.session({ contextLength: 513 })).toThrow(/at most 512/)
    expect((await session.prompt('A', { maxTokens: 1 })).tokenIds).toHaveLength(1)
  })

  it('cannot be used when they are disposed of', async () => {
    const session = engine.session()
    const running = session.prompt(STORY, GREEDY)
    const waiting = session.prompt(STORY, GREEDY)
    await session.dispose()
    for (const generation of [running, waiting, session.prompt('A')]) {
      await expect(generation).rejects.toMatchObject({ name: 'DisposedError', code: 'disposed' })
    }
    await expect(session.reset()).rejects.toThrow(/disposed/)
    await session.dispose()
  })
})
