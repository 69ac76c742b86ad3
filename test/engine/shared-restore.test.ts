/** Sessions restored with `share`: others of the salt find their blocks, as if they had been computed here. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundledModel, Engine, type RestoreOptions, SessionFileError } from '../../src/index.ts'
import { tempFolder } from '../support/temp-folder.ts'

const TEXT = 'Once upon a time there was a little dog who liked to play in the garden with a red ball. '.repeat(7)
const GREEDY = { temperature: 0, ignoreEos: true, maxTokens: 8 } as const

const load = (source: string) => Engine.load(source, { inline: true, threads: 1 })

/** A state that ends with a block: the rows that a window sees from there on are in the file. */
async function saved(source: string): Promise<{ readonly file: string; readonly ids: readonly number[] }> {
  await using engine = await load(source)
  await using session = engine.session()
  const file = join(tempFolder(), 'a.session')
  await session.prompt(TEXT, GREEDY)
  const ids = session.tokens.slice(0, Math.floor(session.tokens.length / 64) * 64)
  await using whole = engine.session()
  await whole.prompt({ tokenIds: ids }, { maxTokens: 0 })
  await whole.save(file)
  return { file, ids }
}

async function cached(engine: Engine, ids: readonly number[], cacheSalt?: string): Promise<number> {
  await using session = engine.session(cacheSalt === undefined ? {} : { cacheSalt })
  return (await session.prompt({ tokenIds: [...ids, 5] }, { ...GREEDY, maxTokens: 0 })).usage.cachedTokens
}

for (const [what, source] of [
  ['a whole context', bundledModel()],
  ['a window', 'test/fixtures/checkpoints/gemma3-mqa'],
] as const) {
  test(`others of the salt find all blocks, also when the session is gone: ${what}`, async () => {
    const { file, ids } = await saved(source)
    const after = async (options: RestoreOptions) => {
      await using engine = await load(source)
      const session = await engine.restore(file, options)
      await session.dispose()
      return [await cached(engine, ids, 'a'), await cached(engine, ids, 'b'), await cached(engine, ids)]
    }
    expect(await after({ share: true, cacheSalt: 'a' })).toEqual([ids.length, 0, 0])
    expect(ids.length).toBeGreaterThan(100)
    expect(await after({ share: true })).toEqual([0, 0, ids.length])
    expect(await after({ cacheSalt: 'a' })).toEqual([0, 0, 0])
  })
}

test('the next text is that of an engine that has read all itself', async () => {
  const { file, ids } = await saved(bundledModel())
  await using here = await load(bundledModel())
  await using there = await load(bundledModel())
  await (await there.restore(file, { share: true })).dispose()
  const asked = { tokenIds: [...ids, 5] }
  const [a, b] = [
    await here.generate(asked, { ...GREEDY, strict: true }),
    await there.generate(asked, { ...GREEDY, strict: true }),
  ]
  expect(b.usage.cachedTokens).toBeGreaterThan(100)
  expect(b.tokenIds).toEqual(a.tokenIds)
})

test('of a damaged file nobody finds anything', async () => {
  const { file, ids } = await saved(bundledModel())
  const bytes = readFileSync(file)
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1
  writeFileSync(file, bytes)
  await using engine = await load(bundledModel())
  await expect(engine.restore(file, { share: true })).rejects.toBeInstanceOf(SessionFileError)
  expect(await cached(engine, ids)).toBe(0)
  expect((await engine.cacheStats()).bytes).toBe(0)
})
