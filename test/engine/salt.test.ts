/** What is cached for one salt is found by sessions of that salt alone, in memory and on disk. */
import { bundledModel, Engine, type Session } from 'latentkit'
import { expect, test } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { PLAIN_TEMPLATE } from './tales.ts'

const TEXT = 'Once upon a time there was a little dog who liked to play in the garden with a red ball. '.repeat(8)
const OPTIONS = { inline: true, threads: 1, chatTemplate: PLAIN_TEMPLATE } as const

async function cached(engine: Engine, cacheSalt?: string): Promise<number> {
  await using session = engine.session(cacheSalt === undefined ? {} : { cacheSalt })
  return (await session.prompt(TEXT, { maxTokens: 1, temperature: 0 })).usage.cachedTokens
}

test('sessions share what they have read with those of the same salt', async () => {
  await using engine = await Engine.load(bundledModel(), OPTIONS)
  expect(await cached(engine)).toBe(0)
  expect(await cached(engine)).toBeGreaterThan(100)
  expect(await cached(engine, 'a')).toBe(0)
  expect(await cached(engine, 'b')).toBe(0)
  expect(await cached(engine, 'a')).toBeGreaterThan(100)
})

test('also on disk, for later processes', async () => {
  const cacheDir = tempFolder()
  {
    await using engine = await Engine.load(bundledModel(), { ...OPTIONS, cacheDir })
    await cached(engine, 'a')
  }
  await using engine = await Engine.load(bundledModel(), { ...OPTIONS, cacheDir })
  expect(await cached(engine)).toBe(0)
  expect(await cached(engine, 'b')).toBe(0)
  expect(await cached(engine, 'a')).toBeGreaterThan(100)
})

test('forks have the salt of their session; its own answers are unknown to others', async () => {
  await using engine = await Engine.load(bundledModel(), OPTIONS)
  await using a = engine.session({ cacheSalt: 'a' })
  await a.prompt(TEXT, { maxTokens: 1, temperature: 0 })
  await using fork = await a.fork()
  await fork.prompt(TEXT, { maxTokens: 1, temperature: 0 })
  expect(await cached(engine)).toBe(0)

  const first = [{ role: 'user' as const, content: 'Once upon a time' }]
  const { messages, content } = await a.chat(first, { maxTokens: 60, temperature: 4, seed: 1 })
  const rendered = `user:Once upon a time\nassistant:${content}\nuser:Go on.\nassistant:`
  const ids = async (session: Session) => {
    await session.chat([...first, ...messages, { role: 'user', content: 'Go on.' }], { maxTokens: 0 })
    return session.tokens
  }
  await using b = engine.session({ cacheSalt: 'b' })
  // Drawn hot, the answer is cut into other tokens than the tokenizer would: who has it as its own keeps them.
  expect(await ids(b)).toEqual(await engine.tokenize(rendered))
  expect(await ids(a)).not.toEqual(await ids(b))
})
