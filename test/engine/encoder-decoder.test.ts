/** Encoder-decoders write what transformers writes (test/interop/make_encoder_decoders.py), and read each source once. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Engine, type LoadOptions } from '../../src/index.ts'
import { Model } from '../../src/model/model.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FIXTURES = ['t5', 't5-v1-1'].map(name => `test/fixtures/families/${name}`)
const [T5] = FIXTURES as [string]

interface Written {
  readonly ids: readonly number[]
  readonly ended: boolean
  readonly text: string | null
  readonly score: number | null
}

interface Found {
  readonly source: string
  readonly source_ids: readonly number[]
  readonly greedy: Written
  readonly beams: readonly Written[]
}

const load = (folder: string, options: LoadOptions = {}) =>
  Engine.load(folder, { inline: true, threads: 1, cacheType: 'f32', ...options })
const GREEDY = { temperature: 0, maxTokens: 20 } as const
const foundBy = (folder: string) => JSON.parse(readFileSync(`${folder}/texts.json`, 'utf8')) as Found[]

afterEach(() => vi.restoreAllMocks())

describe.each(FIXTURES)('%s', folder => {
  it('writes the greedy texts and the beams of transformers', async () => {
    await using engine = await load(folder)
    for (const { source, source_ids, greedy, beams } of foundBy(folder)) {
      const session = engine.session()
      const written = await session.prompt(source, GREEDY)
      expect(written.tokenIds).toEqual(greedy.ids)
      expect(written.text).toBe(greedy.text)
      expect(written.finishReason).toBe(greedy.ended ? 'stop' : 'length')
      expect(written.usage.promptTokens).toBe(source_ids.length)
      const searched = await session.prompt(source, { maxTokens: 14, beams: { width: 3, earlyStopping: true } })
      expect(searched.beams?.map(({ tokenIds }) => tokenIds)).toEqual(beams.map(({ ids }) => ids))
      expect(searched.beams?.map(({ text }) => text)).toEqual(beams.map(({ text }) => text))
      for (const [i, { score }] of beams.entries()) expect(searched.beams?.[i]?.score).toBeCloseTo(score as number, 4)
      await session.dispose()
    }
    expect((await engine.cacheStats()).bytes).toBe(0)
  })
})

describe('a session with an encoder-decoder', () => {
  it('reads a source once, whatever is written from it, and counts its rows', async () => {
    await using engine = await load(T5)
    const read = vi.spyOn(Model.prototype, 'readSources')
    const [{ source, source_ids }] = foundBy(T5) as [Found]
    const session = engine.session()
    await session.prompt(source, { maxTokens: 12, ignoreEos: true, temperature: 0 })
    expect(read).toHaveBeenCalledTimes(1)
    const { source: info, cacheBytesPerToken } = engine.info
    expect(session.cache.usedBytes).toBe(
      13 * cacheBytesPerToken + source_ids.length * (info?.cacheBytesPerToken as number),
    )
    await session.prompt(source, { maxTokens: 8, beams: { width: 4 } })
    expect(read).toHaveBeenCalledTimes(2)
    const fork = await session.fork()
    await fork.prompt('', { maxTokens: 3, ignoreEos: true })
    expect(read).toHaveBeenCalledTimes(2)
    await Promise.all([session.dispose(), fork.dispose()])
    expect((await engine.cacheStats()).bytes).toBe(0)
  })

  it('drops no token before the end of its answer, whether its rows are there or were given away', async () => {
    const [first, second] = foundBy(T5) as [Found, Found]
    const options = { temperature: 0, ignoreEos: true, maxTokens: 5 } as const
    await using roomy = await load(T5)
    const whole = await roomy.session().prompt(first.source, { ...options, maxTokens: 9 })
    const { bytes } = await roomy.cacheStats()
    await using engine = await load(T5, { cacheBytes: 1.5 * bytes })
    const session = engine.session()
    const { tokenIds } = await session.prompt(first.source, options)
    await expect(session.drop(0, 1)).rejects.toThrow(/tokens before its answer cannot be dropped/)
    await engine.session().prompt(second.source, options)
    await expect(session.drop(0, 1)).rejects.toThrow(/tokens before its answer cannot be dropped/)
    const rest = await session.prompt('', { ...options, maxTokens: 4 })
    expect([...tokenIds, ...rest.tokenIds]).toEqual(whole.tokenIds)
    await session.drop(8, 10)
    expect(session.tokens).toHaveLength(8)
  })

  it('an empty prompt goes on with the answer, and a new source begins another', async () => {
    await using engine = await load(T5)
    const [first, second] = foundBy(T5) as [Found, Found]
    const options = { temperature: 0, ignoreEos: true } as const
    const whole = await engine.session().prompt(first.source, { ...options, maxTokens: 12 })
    const session = engine.session()
    const begun = await session.prompt(first.source, { ...options, maxTokens: 5 })
    const rest = await session.prompt('', { ...options, maxTokens: 7 })
    expect([...begun.tokenIds, ...rest.tokenIds]).toEqual(whole.tokenIds)
    const other = await session.prompt(second.source, { ...options, maxTokens: 6 })
    const alone = await engine.session().prompt(second.source, { ...options, maxTokens: 6 })
    expect(other.tokenIds).toEqual(alone.tokenIds)
  })

  it('begins a text, and not what goes on with it, with the id that the files demand', async () => {
    const folder = tempFolder()
    cpSync(T5, folder, { recursive: true })
    const forced = 7
    const ids = { pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0, forced_bos_token_id: forced }
    writeFileSync(`${folder}/generation_config.json`, JSON.stringify(ids))
    await using engine = await load(folder)
    const options = { temperature: 0, ignoreEos: true } as const
    const whole = await engine.session().prompt('Once', { ...options, maxTokens: 6 })
    expect(whole.tokenIds[0]).toBe(forced)
    for (const drawing of [options, { ignoreEos: true, beams: { width: 1 } }]) {
      const session = engine.session()
      const begun = await session.prompt('Once', { ...drawing, maxTokens: 3 })
      const rest = await session.prompt('', { ...drawing, maxTokens: 3 })
      expect([...begun.tokenIds, ...rest.tokenIds]).toEqual(whole.tokenIds)
    }
  })

  it('writes the same beside others, without a cache, and within a budget that makes texts wait', async () => {
    const found = foundBy(T5)
    await using engine = await load(T5)
    const together = await Promise.all(found.map(({ source }) => engine.session().prompt(source, GREEDY)))
    expect(together.map(({ tokenIds }) => tokenIds)).toEqual(found.map(({ greedy }) => greedy.ids))
    const [{ source, greedy }] = found as [Found]
    const without = await engine.session().prompt(source, { ...GREEDY, useCache: false })
    expect(without.tokenIds).toEqual(greedy.ids)
    const blocks = (rows: number, bytes: number) => Math.ceil(rows / 64) * 64 * bytes
    const { cacheBytesPerToken: own, source: info } = engine.info
    const longest = Math.max(...found.map(one => one.source_ids.length))
    const cacheBytes = blocks(20, own) + blocks(longest, info?.cacheBytesPerToken as number)
    await using small = await load(T5, { cacheBytes })
    const texts = await Promise.all(found.map(({ source }) => small.session().prompt(source, GREEDY)))
    expect(texts.map(({ tokenIds }) => tokenIds)).toEqual(found.map(({ greedy }) => greedy.ids))
  })

  it('reads its source again where others took its memory', async () => {
    const [{ source }, { source: other }] = foundBy(T5) as [Found, Found]
    const options = { temperature: 0, ignoreEos: true } as const
    await using engine = await load(T5)
    const whole = await engine.session().prompt(source, { ...options, maxTokens: 12 })
    // Room for one text and its source.
    const cacheBytes = 64 * (engine.info.cacheBytesPerToken + (engine.info.source?.cacheBytesPerToken as number))
    await using small = await load(T5, { cacheBytes })
    const session = small.session()
    const begun = await session.prompt(source, { ...options, maxTokens: 5 })
    await small.session().prompt(other, { ...options, maxTokens: 5 })
    const rest = await session.prompt('', { ...options, maxTokens: 7 })
    expect([...begun.tokenIds, ...rest.tokenIds]).toEqual(whole.tokenIds)
  })

  it('says by name what it cannot do', async () => {
    await using engine = await load(T5)
    const session = engine.session()
    await session.prompt('Once', GREEDY)
    const text = 'A model of type t5 is an encoder-decoder'
    await expect(session.prompt([{ role: 'user', content: 'Hello' }])).rejects.toThrow(
      `${text}, which has no conversations`,
    )
    await expect(engine.embed('Hello')).rejects.toThrow(
      `${text}, which reads a source text and writes another: it makes no vectors`,
    )
    await expect(session.save(`${tempFolder()}/text.session`)).rejects.toThrow('its sessions cannot be saved')
    await expect(engine.session({ rolling: {} }).prompt('Once')).rejects.toThrow('its text cannot roll')
    await expect(engine.session().prompt('')).rejects.toThrow('expected a source text of at least one token')
    await expect(load(T5, { draft: T5 })).rejects.toThrow('no other model guesses ahead for it')
  })
})
