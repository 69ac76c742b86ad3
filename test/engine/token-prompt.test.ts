/** Prompts by token ids: what is read is those ids, whatever text would become of them. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundledModel, Engine, OptionError } from '../../src/index.ts'

const GREEDY = { temperature: 0, ignoreEos: true } as const
let engine: Engine
/** Ids of single characters, which the tokenizer would join. */
let apart: number[]

beforeAll(async () => {
  engine = await Engine.load(bundledModel(), { inline: true, threads: 1 })
  apart = (await Promise.all([...'Once upon'].map(c => engine.tokenize(c)))).flat()
})
afterAll(() => engine.dispose())

test('ids that no text becomes are read as they are, alone and behind others', async () => {
  const text = await engine.detokenize(apart)
  expect(await engine.tokenize(text)).not.toEqual(apart)
  await using session = engine.session()
  const { usage, tokenIds } = await session.prompt({ tokenIds: Uint32Array.from(apart) }, { ...GREEDY, maxTokens: 4 })
  expect(usage.promptTokens).toBe(apart.length)
  expect(session.tokens).toEqual([...apart, ...tokenIds])
  await session.prompt({ tokenIds: [5, 6] }, { ...GREEDY, maxTokens: 0 })
  expect(session.tokens).toEqual([...apart, ...tokenIds, 5, 6])
  // Nothing more to say, as an empty text.
  const more = await session.prompt({ tokenIds: [] }, { ...GREEDY, maxTokens: 2 })
  expect(session.tokens).toEqual([...apart, ...tokenIds, 5, 6, ...more.tokenIds])
})

test('the ids of a text are the text', async () => {
  const text = 'Once upon a time there was'
  const tokenIds = await engine.tokenize(text, { addSpecialTokens: true })
  const [a, b] = await Promise.all([
    engine.generate(text, { ...GREEDY, maxTokens: 8 }),
    engine.generate({ tokenIds }, { ...GREEDY, maxTokens: 8 }),
  ])
  expect(b.tokenIds).toEqual(a.tokenIds)
  // Its tokenizer leaves the first token to the caller.
  expect([a.usage.promptTokens, b.usage.promptTokens]).toEqual([tokenIds.length, tokenIds.length])
})

test('several texts continue them', async () => {
  await using session = engine.session()
  const texts = await session.continuations({ tokenIds: apart }, 2, { ...GREEDY, maxTokens: 3 })
  const [a, b] = await Promise.all(texts.map(({ generation }) => generation))
  expect(a?.tokenIds).toEqual(b?.tokenIds)
  expect(texts[0]?.session.tokens.slice(0, apart.length)).toEqual(apart)
  await Promise.all(texts.map(one => one.session.dispose()))
})

test('ids that are none are refused by their place', async () => {
  const { vocabSize } = engine.info
  const refused = async (prompt: unknown) => {
    const error = await engine.generate(prompt as string, { maxTokens: 1 }).then(
      () => null,
      error => error,
    )
    expect(error).toBeInstanceOf(OptionError)
    return (error as Error).message
  }
  expect(await refused({ tokenIds: [1, vocabSize] })).toBe(
    `prompt.tokenIds[1] is ${vocabSize}; expected an id of the model's, 0 to ${vocabSize - 1}`,
  )
  expect(await refused({ tokenIds: [1, -1] })).toContain('prompt.tokenIds[1] is -1')
  expect(await refused({ tokenIds: 'text' })).toContain('prompt.tokenIds is "text"')
  expect(await refused({ tokens: [1] })).toContain('expected a text, { tokenIds } or a list of messages')
})
