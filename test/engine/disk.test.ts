/** Blocks on disk as users of the engine see them: another process starts where the last one ended. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DiskPlace } from '../../src/cache/disk/disk-place.ts'
import { listBlocks } from '../../src/cache/stored/list-blocks.ts'
import type { LoadOptions } from '../../src/index.ts'
import { Rng } from '../support/rng.ts'
import { FAST_KERNELS, loadTales } from './tales.ts'

const GREEDY = { temperature: 0, ignoreEos: true } as const
const STORY = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '
/** 9 blocks of 64 tokens and a little more. */
const LONG = STORY.repeat(26)
/** 4 blocks and a little more. */
const SHORTER = STORY.repeat(12)
/** Of so many, bytes are damaged one after the other; fewer where each prompt takes long (scripts/sanitized.mjs). */
const DAMAGED_BLOCKS = Number(process.env.LATENTKIT_DAMAGED_BLOCKS ?? Number.POSITIVE_INFINITY)
/** With their paths on disk. */
const files = async () =>
  (await listBlocks(new DiskPlace(cacheDir))).map(file => ({ ...file, path: join(cacheDir, file.path) }))

let cacheDir: string
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'latentkit-engine-'))
})
afterEach(() => rm(cacheDir, { recursive: true, force: true }))

for (const { name, missing } of FAST_KERNELS) {
  describe.skipIf(missing)(`an engine with a cache folder, ${name} kernels`, () => {
    const load = (options: LoadOptions = {}) =>
      loadTales({ kernels: name as NonNullable<LoadOptions['kernels']>, cacheDir, ...options })

    it('goes on from what another has computed, bit for bit', async () => {
      const first = await load()
      const cold = await first.generate(`${LONG}The fox`, { ...GREEDY, maxTokens: 20 })
      expect(cold.usage.cachedTokens).toBe(0)
      await first.dispose()
      const found = await files()
      expect(found.length).toBe(Math.floor((cold.usage.promptTokens + 20) / 64))
      expect(existsSync(join(cacheDir, (found[0] as { fingerprint: string }).fingerprint, 'model.txt'))).toBe(true)

      const second = await load()
      const options = { ...GREEDY, maxTokens: 20, strict: true }
      const warm = await second.generate(`${LONG}The fox`, options)
      expect(warm.usage.cachedTokens).toBeGreaterThanOrEqual(512)
      expect(warm.text).toBe(cold.text)
      expect((await second.generate(`${LONG}The fox`, { ...options, reuse: false })).text).toBe(cold.text)
      await second.dispose()
    })

    it('goes on with a conversation, its answers included', async () => {
      const first = await load()
      const session = first.session()
      await session.prompt(LONG, { ...GREEDY, maxTokens: 200 })
      const { tokens } = session
      await first.dispose()
      const second = await load()
      const more = await second.generate({ tokenIds: tokens }, { ...GREEDY, maxTokens: 4 })
      expect(more.usage.cachedTokens).toBeGreaterThan(tokens.length - 80)
      const strict = await second.generate({ tokenIds: tokens }, { ...GREEDY, maxTokens: 4, strict: true })
      expect(strict.usage.cachedTokens).toBeLessThan(more.usage.cachedTokens)
      await second.dispose()
    })
  })
}

describe('an engine with a cache folder', () => {
  it('computes again what is damaged, and says so', async () => {
    const first = await loadTales({ cacheDir })
    const cold = await first.generate(LONG, { ...GREEDY, maxTokens: 20 })
    await first.dispose()
    for (const [i, { path }] of (await files()).entries()) {
      const bytes = await readFile(path)
      bytes[100 * i + 50] = (bytes[100 * i + 50] as number) ^ 4
      await writeFile(path, bytes)
    }
    const notices: string[] = []
    const second = await loadTales({ cacheDir, onNotice: notice => notices.push(notice) })
    const again = await second.generate(LONG, { ...GREEDY, maxTokens: 20 })
    expect([again.text, again.usage.cachedTokens]).toEqual([cold.text, 0])
    await second.dispose()
    expect(notices.length).toBeGreaterThan(0)
    expect(notices[0]).toMatch(/^cache: .*\.block is damaged \(its checksum is wrong\); it was removed$/)
    const third = await loadTales({ cacheDir })
    expect((await third.generate(LONG, { ...GREEDY, maxTokens: 20 })).usage.cachedTokens).toBeGreaterThanOrEqual(512)
    await third.dispose()
  })

  it('never writes anything else, whichever byte of the folder is changed', { timeout: 300_000 }, async () => {
    const first = await loadTales({ cacheDir })
    const cold = await first.generate(`${SHORTER}The fox`, { ...GREEDY, maxTokens: 3, strict: true })
    await first.dispose()
    const stored = (await files()).toSorted((a, b) => a.path.localeCompare(b.path))
    const rng = new Rng(6)
    expect(stored.length).toBe(Math.floor(cold.usage.promptTokens / 64))
    const damages: string[] = []
    const onNotice = (notice: string) => /is damaged \(.*\); it was removed$/.test(notice) && damages.push(notice)
    // Keeps nothing in memory, so that every prompt looks at the disk, and may write nothing there.
    const engine = await loadTales({ cacheDir, keptBytes: 0, cacheDirBytes: 1, onNotice })
    for (const [n, { path }] of stored.slice(0, DAMAGED_BLOCKS).entries()) {
      const whole = await readFile(path)
      const header = 12 + whole.readUInt32LE(8)
      // Magic, length, header, rows of each part of the block, checksum.
      const regions = [0, 8, 12, header, ...Array.from({ length: 4 }, (_, i) => header + i * 20_000), whole.length - 32]
      for (const [i, from] of regions.entries()) {
        const at = from + rng.below((regions[i + 1] ?? whole.length) - from)
        const damaged = Uint8Array.from(whole)
        damaged[at] = (damaged[at] as number) ^ (1 << rng.below(8))
        await writeFile(path, damaged)
        const again = await engine.generate(`${SHORTER}The fox`, { ...GREEDY, maxTokens: 3, strict: true })
        expect(again.text, `block ${n}, byte ${at}`).toBe(cold.text)
        expect(damages.splice(0)).toEqual([expect.stringContaining(path)])
        expect(again.usage.cachedTokens % 64).toBe(0)
        expect(again.usage.cachedTokens).toBeLessThan(64 * stored.length)
        await writeFile(path, whole)
      }
    }
    await engine.dispose()
  })

  it('finds nothing of other numbers or another arithmetic', async () => {
    const settings: LoadOptions[] = [
      {},
      { cacheType: 'f32' },
      { cacheType: 'int8' },
      { cacheType: 'fp8_ds_mla' },
      { kernels: 'wasm' },
      { weights: 'q8_0' },
    ]
    for (const options of settings) {
      const engine = await loadTales({ cacheDir, ...options })
      const { usage } = await engine.generate(LONG, { ...GREEDY, maxTokens: 0 })
      expect(usage.cachedTokens, JSON.stringify(options)).toBe(0)
      await engine.dispose()
    }
    const prints = new Set((await files()).map(f => f.fingerprint))
    expect(prints.size).toBe(settings.length)
  })

  it('keeps short prompts and edited pasts to itself', async () => {
    const engine = await loadTales({ cacheDir })
    await engine.generate('A fox', { ...GREEDY, maxTokens: 20 })
    const session = engine.session()
    await session.prompt(LONG, { ...GREEDY, maxTokens: 0 })
    const published = Math.floor(session.tokens.length / 64)
    await session.drop(10, 30)
    await session.prompt(' Then', { ...GREEDY, maxTokens: 100 })
    await engine.dispose()
    expect(await files()).toHaveLength(published)
  })

  it('works where there is no room in memory for what the disk has', async () => {
    const first = await loadTales({ cacheDir })
    const cold = await first.generate(`${LONG}The fox`, { ...GREEDY, maxTokens: 8, strict: true })
    const { cacheBytesPerToken } = first.info
    await first.dispose()
    const second = await loadTales({ cacheDir, cacheBytes: 12 * 64 * cacheBytesPerToken })
    const session = second.session()
    await session.prompt('A long tale of the king and his three sons. '.repeat(30), { ...GREEDY, maxTokens: 4 })
    const warm = await second.generate(`${LONG}The fox`, { ...GREEDY, maxTokens: 8, strict: true })
    expect(warm.text).toBe(cold.text)
    await second.dispose()
  })
})
