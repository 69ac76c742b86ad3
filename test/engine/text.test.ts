import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Session } from '../../src/index.ts'
import { loadTales } from './tales.ts'

const GREEDY = { temperature: 0, ignoreEos: true } as const
const STORY = 'Once upon a time, there was a little girl named Lily.'

/** Chunks as they came, and the whole. */
async function collect(session: Session, prompt: string, options: Parameters<Session['prompt']>[1]) {
  const generation = session.prompt(prompt, options)
  const chunks: string[] = []
  for await (const { text } of generation) chunks.push(text)
  return { chunks, ...(await generation) }
}

describe('the end of a text', () => {
  let engine: Engine
  let whole: string
  beforeAll(async () => {
    engine = await loadTales()
    whole = (await engine.generate(STORY, { ...GREEDY, maxTokens: 60 })).text
    expect(whole).toMatch(/^ She loved to play with her toys and eat yummy snacks\. One day,/)
  })
  afterAll(() => engine.dispose())

  it.each([
    ['a whole token', ['.'], ' She loved to play with her toys and eat yummy snacks'],
    ['a border between tokens', ['snacks. One'], ' She loved to play with her toys and eat yummy '],
    ['within tokens', ['acks. O'], ' She loved to play with her toys and eat yummy sn'],
    ['several, the first counts', ['day', 'wit', 'snacks'], ' She loved to play '],
    ['the very first character', [' '], ''],
  ])('stops at %s, which is never shown', async (_, stopSequences, expected) => {
    const session = engine.session()
    const result = await collect(session, STORY, { ...GREEDY, maxTokens: 60, stopSequences })
    expect(result).toMatchObject({ text: expected, finishReason: 'stop' })
    expect(result.chunks.join('')).toBe(expected)
    // The timeline is the text that was shown, and the cache is the timeline.
    expect(await engine.detokenize(session.tokens, { skipSpecialTokens: true })).toBe(STORY + expected)
    expect(session.cache.tokens).toBe(session.tokens.length)
    expect(session.tokens).toEqual([0, ...(await engine.tokenize(STORY)), ...result.tokenIds])
    await session.dispose()
  })

  it('ends at the ids it is given, which are no part of it, and says at which', async () => {
    const end = (await engine.tokenize('.', { addSpecialTokens: false })).at(-1) as number
    const first = { ...GREEDY, maxTokens: 60, stopTokenIds: [1, end] }
    const session = engine.session()
    const result = await collect(session, STORY, first)
    const text = ' She loved to play with her toys and eat yummy snacks'
    expect(result).toMatchObject({ text, finishReason: 'stop', stopTokenId: end })
    expect(await engine.detokenize(session.tokens, { skipSpecialTokens: true })).toBe(STORY + text)
    const longer = await engine.generate(STORY, { ...first, minTokens: 20 })
    expect(longer.text.indexOf('.')).toBe(-1)
    expect(longer.text.length).toBeGreaterThan(text.length)
    await expect(engine.generate(STORY, { stopTokenIds: [5, 1e6] })).rejects.toThrow(/^stopTokenIds\[1\] is 1000000/)
  })

  it('shows what only looked like a stop', async () => {
    const result = await collect(engine.session(), STORY, {
      ...GREEDY,
      maxTokens: 60,
      stopSequences: ['snacks. Two', 'She loved to play with him'],
    })
    expect(result).toMatchObject({ text: whole, finishReason: 'length' })
    expect(result.chunks.join('')).toBe(whole)
  })

  it('shows what was held back when the text ends for another reason', async () => {
    const stopSequences = [`${whole.slice(0, 400)} and then something else`]
    const result = await collect(engine.session(), STORY, { ...GREEDY, maxTokens: 60, stopSequences })
    expect(result.text).toBe(whole)
    expect(result.chunks.join('')).toBe(whole)
  })

  it('shows what was held back when the text is given up', async () => {
    for (const chunks of [1, 3, 5, 7]) {
      const session = engine.session()
      const generation = session.prompt(STORY, {
        ...GREEDY,
        stopSequences: [' She loved to play with her toys and dolls'],
      })
      let count = 0
      for await (const _ of generation) if (++count === chunks) break
      const { text } = await generation
      expect(await engine.detokenize(session.tokens, { skipSpecialTokens: true })).toBe(STORY + text)
      await session.dispose()
    }
  })

  it.each(['off', 'ngram'] as const)(
    'is a special token whose text is a stop sequence (speculation %s)',
    async speculation => {
      const session = engine.session()
      const options = { ...GREEDY, logitBias: { 0: 100 }, maxTokens: 4, logprobs: 0, speculation }
      const result = await collect(session, STORY, { ...options, stopSequences: ['<|endoftext|>'] })
      expect(result).toMatchObject({ text: '', tokenIds: [], finishReason: 'stop' })
      expect(session.tokens).toEqual([0, ...(await engine.tokenize(STORY))])
      expect(session.cache.tokens).toBe(session.tokens.length)
      const twice = await session.prompt('', { ...options, stopSequences: ['<|endoftext|><|endoftext|>'] })
      expect(twice).toMatchObject({ text: '', tokenIds: [], finishReason: 'stop' })
      await session.dispose()
    },
  )

  it('is the token that ends texts, which joins neither text nor timeline', async () => {
    const session = engine.session()
    const result = await collect(session, 'The end.', { logitBias: { 0: 100 }, temperature: 0 })
    expect(result).toMatchObject({ text: '', tokenIds: [], finishReason: 'stop', usage: { completionTokens: 0 } })
    expect(session.tokens).toEqual([0, ...(await engine.tokenize('The end.'))])
    expect(session.cache.tokens).toBe(session.tokens.length)
    const ignored = await session.prompt('', { logitBias: { 0: 100 }, temperature: 0, ignoreEos: true, maxTokens: 2 })
    expect(ignored).toMatchObject({ text: '', tokenIds: [0, 0], finishReason: 'length' })
    const shown = await session.prompt('', {
      logitBias: { 0: 100 },
      temperature: 0,
      ignoreEos: true,
      maxTokens: 1,
      skipSpecialTokens: false,
    })
    expect(shown.text).toBe('<|endoftext|>')
  })

  it('is at once with no tokens to write, the prompt read', async () => {
    const session = engine.session()
    const result = await session.prompt(STORY, { maxTokens: 0 })
    expect(result).toMatchObject({ text: '', tokenIds: [], finishReason: 'length' })
    expect(session.cache.tokens).toBe(14)
    expect((await session.prompt('', { ...GREEDY, maxTokens: 60 })).text).toBe(whole)
  })

  it('does not cut characters in two', async () => {
    // Bytes of a snowman, forced one by one: no text until the last.
    const bytes = await engine.tokenize('☃')
    expect(bytes.length).toBeGreaterThan(1)
    const session = engine.session()
    let text = ''
    for (const id of bytes) {
      expect(text).toMatch(/^\uFFFD*$/)
      const generation = session.prompt(text === '' ? 'A' : '', {
        logitBias: { [id]: 100 },
        temperature: 0,
        maxTokens: 1,
      })
      text = (await generation).text
    }
    expect(text).toBe('☃')
  })

  it('takes defaults from generation_config.json', async () => {
    const options = { maxTokens: 30, seed: 3, ignoreEos: true }
    const byDefault = await engine.generate(STORY, options)
    expect(byDefault.text).toBe((await engine.generate(STORY, { ...options, temperature: 0.7, topP: 0.95 })).text)
    expect(byDefault.text).not.toBe((await engine.generate(STORY, { ...options, temperature: 2 })).text)
    const undefinedIsAbsent = { ...options, temperature: undefined } as object
    expect((await engine.generate(STORY, undefinedIsAbsent)).text).toBe(byDefault.text)
  })
})
