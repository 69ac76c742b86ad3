/** Sessions in files: another engine goes on from one as the first would have, or says why it cannot. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSealed } from '../../src/cache/disk/sealed-stream.ts'
import { seal, unseal } from '../../src/cache/stored/sealed-file.ts'
import {
  CacheFullError,
  ContextLengthError,
  Engine,
  type LoadOptions,
  type PromptOptions,
  type Session,
  SessionFileError,
  SessionMismatchError,
} from '../../src/index.ts'
import { inspectSession } from '../../src/tools.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { Rng } from '../support/rng.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { loadTales } from './tales.ts'

const GREEDY = { temperature: 0, ignoreEos: true } as const
const STORY = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '
const WINDOWED = 'test/fixtures/checkpoints/gemma3-mqa'

/** Saves the session, lets it and its restored twin say the same things, and holds them to each other. */
async function twins(session: Session, there: Engine, options: PromptOptions = {}): Promise<void> {
  const file = join(tempFolder(), 'a.session')
  const { tokens, rows, bytes } = await session.save(file)
  expect([tokens, rows]).toEqual([session.tokens.length, session.cache.tokens])
  expect(readFileSync(file).length).toBe(bytes)
  const twin = await there.restore(file)
  expect(twin.tokens).toEqual(session.tokens)
  expect(twin.cache).toEqual(session.cache)
  for (const text of ['', ' Then the fox', '', ' and so']) {
    const settings = { ...GREEDY, maxTokens: 9, ...options }
    if (text === '' && session.tokens.length === 0) continue
    const [a, b] = [await session.prompt(text, settings), await twin.prompt(text, settings)]
    expect([b.text, b.tokenIds, b.usage]).toEqual([a.text, a.tokenIds, a.usage])
  }
  expect(twin.cache).toEqual(session.cache)
  await twin.dispose()
}

for (const { name, missing } of KERNEL_SETS) {
  const kernels = name as NonNullable<LoadOptions['kernels']>
  describe.skipIf(missing)(`sessions in files, ${name} kernels`, () => {
    let here: Engine
    let there: Engine
    beforeAll(async () => {
      here = await loadTales({ kernels })
      there = await loadTales({ kernels })
    })
    afterAll(async () => {
      await here.dispose()
      await there.dispose()
    })
    const slow = name === 'reference'
    const long = slow ? STORY.slice(0, 20) : STORY.repeat(8)

    it('go on as the ones that were saved', async () => {
      const session = here.session()
      await session.prompt(`${long}The fox`, { ...GREEDY, maxTokens: 10 })
      await twins(session, there, slow ? { maxTokens: 3 } : {})
      await twins(session, there, slow ? { maxTokens: 3 } : {})
      await session.dispose()
    })

    it('also with sliding windows', async () => {
      const [a, b] = [
        await Engine.load(WINDOWED, { inline: true, threads: 1, kernels }),
        await Engine.load(WINDOWED, { inline: true, threads: 1, kernels }),
      ]
      const session = a.session()
      await session.prompt(STORY.slice(0, 60), { ...GREEDY, maxTokens: 90 })
      await twins(session, b)
      await a.dispose()
      await b.dispose()
    })
  })
}

describe('a session in a file', () => {
  let here: Engine
  let there: Engine
  beforeAll(async () => {
    here = await loadTales()
    there = await loadTales()
  })
  afterAll(async () => {
    await here.dispose()
    await there.dispose()
  })
  const begun = async (options = {}) => {
    const session = here.session(options)
    await session.prompt(`${STORY.repeat(4)}The fox`, { ...GREEDY, maxTokens: 10 })
    return session
  }
  const saved = async (session: Session) => {
    const file = join(tempFolder(), 'a.session')
    await session.save(file)
    return file
  }

  it('may be empty, edited, rolled, or one whose rows were taken back', async () => {
    await twins(here.session(), there)
    const edited = await begun()
    await edited.drop(10, 30)
    await twins(edited, there)
    const rolled = here.session({ contextLength: 96, rolling: { keep: 4, drop: 40 } })
    await rolled.prompt(STORY, { ...GREEDY, maxTokens: 200 })
    await twins(rolled, there, { maxTokens: 60 })
    const stopped = await begun()
    await stopped.prompt(' said', { ...GREEDY, maxTokens: 40, stopSequences: ['e'] })
    await twins(stopped, there)
    const parked = await begun()
    const file = join(tempFolder(), 'a.session')
    expect(await parked.save(file, { rows: false })).toMatchObject({ tokens: parked.tokens.length, rows: 0 })
    const without = await there.restore(file)
    expect([without.tokens, without.cache.tokens]).toEqual([parked.tokens, 0])
    const strict = { ...GREEDY, maxTokens: 9, strict: true }
    expect((await without.prompt(' Then', strict)).text).toBe((await parked.prompt(' Then', strict)).text)
  })

  it('draws on where the text stopped, with the penalties that it had', async () => {
    const options = { temperature: 1, frequencyPenalty: 0.7, seed: 5, ignoreEos: true }
    const whole = await here.generate(STORY, { ...options, maxTokens: 40 })
    const session = here.session()
    const first = await session.prompt(STORY, { ...options, maxTokens: 15 })
    const second = await (await there.restore(await saved(session))).prompt('', {
      ...options,
      maxTokens: 25,
      seed: undefined as never,
    })
    expect([...first.tokenIds, ...second.tokenIds]).toEqual(whole.tokenIds)
    expect(second.seed).toBe(5)
    const { seed: _, ...noSeed } = options
    const third = await session.prompt('', { ...noSeed, maxTokens: 10 })
    const fourth = await session.prompt('', { ...noSeed, maxTokens: 15 })
    expect([...first.tokenIds, ...third.tokenIds, ...fourth.tokenIds]).toEqual(whole.tokenIds)
    // A fork is another text.
    const [a, b] = [await session.fork(), await session.fork()]
    const texts = [a, b].map(async s => (await s.prompt('', { ...noSeed, maxTokens: 30 })).text)
    expect(await texts[0]).not.toBe(await texts[1])
  })

  it('is as it was after the prompts before, and the session goes on meanwhile', async () => {
    const session = here.session()
    const file = join(tempFolder(), 'a.session')
    const first = session.prompt(STORY, { ...GREEDY, maxTokens: 20 })
    const saving = session.save(file)
    const second = session.prompt(' Then', { ...GREEDY, maxTokens: 20 })
    await Promise.all([first, saving, second])
    const twin = await there.restore(file)
    expect(session.tokens.length).toBeGreaterThan(twin.tokens.length)
    expect(session.tokens.slice(0, twin.tokens.length)).toEqual(twin.tokens)
    expect((await twin.prompt(' Then', { ...GREEDY, maxTokens: 20 })).text).toBe((await second).text)
  })

  it('keeps its rows to itself: other sessions need not believe a file', async () => {
    const file = await saved(await begun())
    const engine = await loadTales()
    const twin = await engine.restore(file)
    expect(twin.cache.tokens).toBeGreaterThan(100)
    const { usage } = await engine.generate(`${STORY.repeat(4)}The fox`, { ...GREEDY, maxTokens: 1 })
    expect(usage.cachedTokens).toBe(0)
    // A fork is of the same file.
    const fork = await twin.fork()
    expect((await fork.prompt(' and', { ...GREEDY, maxTokens: 2 })).usage.cachedTokens).toBe(twin.cache.tokens)
    await engine.dispose()
  })

  it('tells what it holds, notes included', async () => {
    const session = await begun()
    const file = join(tempFolder(), 'a.session')
    await session.save(file, { notes: { title: 'A tale', turns: [1, 2] } })
    const inspection = await inspectSession(file)
    expect(inspection).toMatchObject({ model: 'tales-mla-8m', rowTypes: 'latent f16, ropeKey f16', rows: 104 })
    expect(inspection.notes).toEqual({ title: 'A tale', turns: [1, 2] })
    expect(Date.now() - inspection.savedAt.getTime()).toBeLessThan(60_000)
  })

  it('is refused by another model, arithmetic or cache type, which may compute its text again', async () => {
    const session = await begun()
    const file = await saved(session)
    for (const [options, reason] of [
      [
        { cacheType: 'f32' },
        /the cached numbers \(latent f16, ropeKey f16 there, latent f32, ropeKey f32 here\) differs/,
      ],
      [{ kernels: 'wasm' }, /the arithmetic \(native-.* there, wasm-.* here\) differs: recompute: true takes its text/],
      [
        { weights: 'q8_0', cacheType: 'f16' },
        /the arithmetic \(native-\w+ there, native-\w+, weights as q8_0 here\) differs/,
      ],
    ] as const) {
      const other = await loadTales(options as LoadOptions)
      await expect(other.restore(file)).rejects.toThrow(SessionMismatchError)
      await expect(other.restore(file)).rejects.toThrow(reason)
      const twin = await other.restore(file, { recompute: true })
      expect(twin.tokens).toEqual(session.tokens)
      expect(twin.cache.tokens).toBe(0)
      const { usage } = await twin.prompt('', { ...GREEDY, maxTokens: 4 })
      expect([usage.promptTokens, usage.cachedTokens]).toEqual([session.tokens.length, 0])
      await other.dispose()
    }
    const other = await Engine.load(WINDOWED, { inline: true, threads: 1 })
    for (const recompute of [false, true]) {
      await expect(other.restore(file, { recompute })).rejects.toThrow(
        /saved with tales-mla-8m; for gemma3-mqa as it is loaded, the tokenizer, the model \(config.json\), .* differ: its tokens/,
      )
    }
    await other.dispose()
  })

  it('is refused where it has no room', async () => {
    const file = await saved(await begun())
    const short = await loadTales({ contextLength: 64 })
    await expect(short.restore(file)).rejects.toThrow(ContextLengthError)
    await expect(short.restore(file, { contextLength: 64 })).rejects.toThrow(/has 104 tokens and may hold 64/)
    await short.dispose()
    const block = 64 * here.info.cacheBytesPerToken
    const tight = await loadTales({ cacheBytes: block })
    await expect(tight.restore(file)).rejects.toThrow(CacheFullError)
    expect((await tight.restore(file, { recompute: true })).cache.tokens).toBe(0)
    expect((await tight.cacheStats()).bytes).toBe(0)
    await tight.dispose()
    // Idle sessions make room.
    const small = await loadTales({ cacheBytes: 3 * block })
    const idle = small.session()
    await idle.prompt(STORY.repeat(4), { ...GREEDY, maxTokens: 1 })
    expect((await small.restore(file)).cache.tokens).toBe(104)
    await small.dispose()
  })

  it('is refused where any byte is changed or missing, and nothing of it stays', async () => {
    const file = await saved(await begun())
    const whole = readFileSync(file)
    const before = await there.cacheStats()
    const rng = new Rng(4)
    const header = whole.readUInt32LE(8) + 12
    // Every field of the header, and the rows by samples.
    for (let at = 0; at < whole.length; at += at < header ? 1 + rng.below(12) : 1 + rng.below(20_000)) {
      const damaged = Uint8Array.from(whole)
      damaged[at] = (damaged[at] as number) ^ (1 << rng.below(8))
      writeFileSync(file, damaged)
      await expect(there.restore(file), `byte ${at}`).rejects.toThrow(SessionFileError)
    }
    for (const length of [0, 5, 12, 44, 60, header, header + 4, whole.length - 33, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length))
      await expect(there.restore(file), `${length} bytes`).rejects.toThrow(/is no session, or a damaged one: /)
    }
    writeFileSync(file, Buffer.concat([whole, whole]))
    await expect(there.restore(file)).rejects.toThrow(/bytes of rows, not/)
    await expect(there.restore(join(file, '..'))).rejects.toThrow(/is not a file/)
    await expect(there.restore(`${file}.none`)).rejects.toThrow(/cannot be read: ENOENT/)
    expect((await there.cacheStats()).bytes).toBe(before.bytes)
  })

  it('is refused with a sentence where its checksum is right and its content is not', async () => {
    const file = await saved(await begun())
    const { header, body } = (await unseal('LKSESSN1', readFileSync(file))) as { header: object; body: Uint8Array }
    for (const [change, reason] of [
      [{ rows: 103 }, /bytes of rows, not/],
      [{ rows: -1 }, /its header is wrong at "rows"/],
      [{ tokens: 1e15 }, /bytes of rows, not/],
      [{ blocks: [] }, /bytes of rows, not/],
      [{ contextLength: 10 }, /has 104 tokens and may hold 10/],
      [{ rolling: { keep: 4, count: 1e9 } }, /keeps 4 tokens and drops/],
      [{ endianness: 'BE' }, /byte order \(BE\)/],
      [{ model: '\u001b[2J' }, /its header is wrong at "model"/],
      [{ drawing: { seed: 1, rng: [0, 0, 0, 0], prompt: [], counts: [] } }, /its header is wrong at "drawing"/],
      [
        { drawing: { seed: 1, rng: [1, 0, 0, 0], prompt: [], counts: [], mu: 'x' } },
        /its header is wrong at "drawing"/,
      ],
    ] as const) {
      writeFileSync(file, await seal('LKSESSN1', { ...header, ...change }, [body]))
      await expect(there.restore(file), JSON.stringify(change)).rejects.toThrow(reason)
    }
    const foreign = Uint8Array.from(body)
    new DataView(foreign.buffer).setInt32(0, 1_000_000, true)
    writeFileSync(file, await seal('LKSESSN1', header, [foreign]))
    await expect(there.restore(file)).rejects.toThrow(/it has token 1000000 of a vocabulary of/)
  })

  it('leaves an older file alone when it cannot be saved, and nothing half done', async () => {
    const session = await begun()
    const file = await saved(session)
    const before = readFileSync(file)
    mkdirSync(join(file, '..', 'folder'))
    await expect(session.save(join(file, '..', 'folder'))).rejects.toThrow(
      /could not be saved as .* is a folder; only a file can be replaced/,
    )
    await expect(session.save(join(file, '..', 'none', 'a'))).rejects.toThrow(/could not be saved as .*ENOENT/)
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    const fs = {
      ...nodeFs,
      open: async (...args: Parameters<typeof nodeFs.open>) => {
        const handle = await nodeFs.open(...args)
        handle.sync = async () => {
          throw full
        }
        return handle
      },
    }
    async function* parts() {
      yield new Uint8Array(1000)
    }
    await expect(writeSealed(file, 'LKSESSN1', {}, parts(), fs)).rejects.toThrow(/ENOSPC/)
    expect(readFileSync(file)).toEqual(before)
    expect(readdirSync(join(file, '..')).sort()).toEqual(['a.session', 'folder'])
  })
})
