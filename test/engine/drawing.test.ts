/** The options of drawing in the engine: what texts they give, and that nothing else decides which. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, OptionError, type PromptOptions } from '../../src/index.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { loadTales, PLAIN_TEMPLATE, TALES } from './tales.ts'

const PROMPT = 'Once upon a time, there was a little girl. She had a little'
const THINKS = `${PLAIN_TEMPLATE}{% if add_generation_prompt %}<think>{% endif %}{# </think> #}`

let engine: Engine
beforeAll(async () => {
  engine = await loadTales()
})
afterAll(() => engine.dispose())

const write = async (options: PromptOptions, prompt = PROMPT) =>
  engine.generate(prompt, { maxTokens: 60, seed: 5, ...options })

/** Each with what only it has of state. */
const OPTIONS: readonly PromptOptions[] = [
  { mirostat: { tau: 3 } },
  { dry: { multiplier: 2, allowedLength: 1 }, temperature: 0 },
  { dry: { multiplier: 1 }, xtc: { probability: 0.5, threshold: 0.05 }, temperature: 1 },
  { typicalP: 0.6, topNSigma: 2, dynamicTemperature: { range: 0.5 }, temperatureLast: true },
  { bannedTexts: ['little', ' she', 'e d'], temperature: 0.8 },
  { logitBias: { ' girl': Number.NEGATIVE_INFINITY, '.': -3 } },
]

describe.each(OPTIONS)('%j', options => {
  it('is not what is drawn without', async () => {
    const { temperature = 0.6, topP = 0.9 } = options
    expect((await write(options)).text).not.toBe((await write({ temperature, topP })).text)
  })

  it('gives one text: again, among others, with drafts, in a fork, in pieces and from a file', async () => {
    const { tokenIds } = await write(options)
    const together = await Promise.all([
      write(options),
      write({ ...options, speculation: 'ngram' }),
      ...[6, 7, 8].map(seed => write({ seed })),
    ])
    expect(together[0]?.tokenIds).toEqual(tokenIds)
    expect(together[1]?.tokenIds).toEqual(tokenIds)

    await using session = engine.session()
    await session.prompt(PROMPT, { maxTokens: 0 })
    await using fork = await session.fork()
    expect((await fork.prompt('', { ...options, maxTokens: 60, seed: 5 })).tokenIds).toEqual(tokenIds)

    const first = await session.prompt('', { ...options, maxTokens: 21, seed: 5 })
    const file = join(tempFolder(), 'half.session')
    await session.save(file)
    await using restored = await engine.restore(file)
    for (const half of [session, restored]) {
      const rest = await half.prompt('', { ...options, maxTokens: 39 })
      expect([...first.tokenIds, ...rest.tokenIds]).toEqual(tokenIds)
    }
  })

  it('is the best of one', async () => {
    const { tokenIds } = await write(options)
    await using session = engine.session()
    const { session: winner, completion } = await session.bestOf(PROMPT, 1, { ...options, maxTokens: 60, seed: 5 })
    await winner.dispose()
    expect(completion.tokenIds).toEqual(tokenIds)
  })
})

it('dry sees what a rolling context has left, in one piece, in two and from a file', async () => {
  const options = { dry: { multiplier: 1 }, temperature: 1, ignoreEos: true }
  const rolling = { contextLength: 64, rolling: { keep: 4, drop: 16 } }
  await using whole = engine.session(rolling)
  const { tokenIds } = await whole.prompt(PROMPT, { ...options, seed: 2, maxTokens: 160 })
  await using session = engine.session(rolling)
  const first = await session.prompt(PROMPT, { ...options, seed: 2, maxTokens: 90 })
  const file = join(tempFolder(), 'rolled.session')
  await session.save(file)
  await using restored = await engine.restore(file)
  for (const half of [session, restored]) {
    const rest = await half.prompt('', { ...options, maxTokens: 70 })
    expect([...first.tokenIds, ...rest.tokenIds]).toEqual(tokenIds)
  }
})

describe('bannedTexts', () => {
  it('never appear, in what the model would write again and again', async () => {
    const plain = await write({ temperature: 0, maxTokens: 120 })
    const words = [' named', 'Lily', 'play', 'ay', ' the '].filter(word => plain.text.includes(word))
    expect(words.length).toBeGreaterThan(1)
    const { text } = await write({ temperature: 0, maxTokens: 120, bannedTexts: words })
    for (const word of words) expect(text).not.toContain(word)
  })

  it('may begin in the prompt', async () => {
    const plain = await write({ temperature: 0, maxTokens: 8 })
    const across = PROMPT.slice(-6) + plain.text.slice(0, 4)
    const { text } = await write({ temperature: 0, maxTokens: 8, bannedTexts: [across] })
    expect(PROMPT.slice(-6) + plain.text).toContain(across)
    expect(PROMPT.slice(-6) + text).not.toContain(across)
  })
})

describe('minTokens', () => {
  it('no end of the text, and no stop sequence, before them', async () => {
    const short = await write({ temperature: 0, maxTokens: 200, stopSequences: ['.'] })
    const least = short.tokenIds.length + 5
    const long = await write({ temperature: 0, maxTokens: 200, stopSequences: ['.'], minTokens: least })
    expect(long.tokenIds.length).toBeGreaterThanOrEqual(least)
    expect(long.text.startsWith(short.text)).toBe(true)
    expect(long).toMatchObject({ finishReason: 'stop', stopSequence: '.' })
    const later = long.text.slice(short.text.length)
    expect(later).toContain('.')
    expect(long.text.endsWith('.')).toBe(false)
    await using session = engine.session()
    const text = await session.prompt(PROMPT, {
      temperature: 0,
      maxTokens: 200,
      stopSequences: ['.'],
      minTokens: least,
    })
    expect(await engine.detokenize(session.tokens.slice(-text.tokenIds.length))).toBe(text.text)
  })

  it('a text that would end at once', async () => {
    const { eos_token_id: eos } = JSON.parse(readFileSync(`${TALES}/config.json`, 'utf8')) as { eos_token_id: number }
    const options = { logitBias: { [eos]: 100 }, maxTokens: 50 }
    expect((await write(options)).tokenIds).toEqual([])
    expect(await write({ ...options, minTokens: 20 })).toMatchObject({
      finishReason: 'stop',
      usage: { completionTokens: 20 },
    })
  })
})

describe('thinkingBudget', () => {
  it('ends the reasoning that the chat template has opened', async () => {
    await using thinker = await loadTales({ chatTemplate: THINKS })
    expect([thinker.info.marksReasoning, engine.info.marksReasoning]).toEqual([true, false])
    const messages = [{ role: 'user', content: 'Tell me a story.' }]
    for (const thinkingBudget of [0, 1, 17]) {
      await using session = thinker.session()
      const options = { maxTokens: 60, seed: 3, thinkingBudget, ignoreEos: true }
      const { text, tokenIds } = await session.prompt(messages, options)
      const close = await thinker.tokenize('</think>')
      expect(tokenIds.slice(thinkingBudget, thinkingBudget + close.length)).toEqual(close)
      expect(text.split('</think>').length).toBe(2)
      const free = await (async () => {
        await using other = thinker.session()
        return await other.prompt(messages, { maxTokens: thinkingBudget, seed: 3, ignoreEos: true })
      })()
      expect(tokenIds.slice(0, thinkingBudget)).toEqual(free.tokenIds)
      // In two pieces, cut within the mark.
      await using halves = thinker.session()
      const first = await halves.prompt(messages, { ...options, maxTokens: thinkingBudget + 1 })
      const { seed: _, ...same } = options
      const rest = await halves.prompt('', { ...same, maxTokens: 60 - thinkingBudget - 1 })
      expect([...first.tokenIds, ...rest.tokenIds]).toEqual(tokenIds)
    }
  })

  it('of a model without marks is refused', async () => {
    await expect(write({ thinkingBudget: 5 })).rejects.toThrow(
      /^thinkingBudget was given, but the model marks no reasoning/,
    )
  })
})

describe('refused', () => {
  it.each<[PromptOptions, RegExp]>([
    [{ minTokens: 9, maxTokens: 5 }, /^minTokens is 9 and maxTokens 5; expected at most maxTokens$/],
    [{ bannedTexts: ['a', ''] }, /^bannedTexts\[1\] is ""; expected a text that is not empty/],
    [{ bannedTexts: ['a\uFFFD'] }, /^bannedTexts\[0\] is ".*"; expected whole characters, not U\+FFFD/],
    [
      { logitBias: { ' a little girl': 1 } },
      /^logitBias has the text " a little girl", which is \d tokens; expected one token/,
    ],
    [{ logitBias: { [-1]: 1 } }, /^logitBias has the key "-1"; expected a token id or its text/],
    [{ logitBias: { 999999: 1 } }, /^logitBias has the id 999999; expected one below/],
    [{ thinkingBudgt: 3 } as PromptOptions, /^prompt has no option thinkingBudgt; did you mean thinkingBudget\?/],
    ...(
      [
        { dry: { multiplier: 1 } },
        { topNSigma: 1 },
        { typicalP: 0.5 },
        { xtc: { probability: 1 } },
        { dynamicTemperature: { range: 1 } },
        { temperatureLast: true },
        { mirostat: {} },
        { minTokens: 2 },
        { bannedTexts: ['a'] },
        { thinkingBudget: 4 },
      ] as PromptOptions[]
    ).map((options): [PromptOptions, RegExp] => [
      { beams: { width: 2 }, ...options },
      new RegExp(`^${Object.keys(options)[0]} and beams were given`),
    ]),
  ])('%j', async (options, message) => {
    const error = await write(options).catch(error => error)
    expect(error).toBeInstanceOf(OptionError)
    expect(error.message).toMatch(message)
  })
})
