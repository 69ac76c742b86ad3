/** What pages keep beside models: blocks of earlier prompts and sessions. Whatever happens, what is read is what was written, or nothing. */
import type { BrowserContext, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { NO_CHROMIUM, newContext, openPage, serve, useChromium, WHY_SKIPPED } from './in-chromium.ts'

declare const latentkit: typeof import('../../src/browser.ts')

/** A folder or file that the browser keeps. */
interface Opfs {
  readonly kind: 'file' | 'directory'
  readonly name: string
  values(): AsyncIterable<Opfs>
  getDirectoryHandle(name: string): Promise<Opfs>
  getFile(): Promise<Blob>
  createWritable(options: object): Promise<{ write(data: object): Promise<void>; close(): Promise<void> }>
}
interface Web {
  readonly navigator: { readonly storage: { getDirectory(): Promise<Opfs> } }
}

useChromium()

/** 4 blocks of 64 tokens and a little more. */
const LONG = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '.repeat(13)

interface Written {
  readonly text: string
  readonly cached: number
  readonly notices: readonly string[]
}

/** Loads in the page with blocks in the folder `my texts`, writes a few tokens behind each prompt, and ends. */
function write(page: Page, prompts: readonly string[], options: object = {}): Promise<readonly Written[]> {
  const given = { prompts, options: { cacheType: 'f32', threads: 1, cacheDir: 'my texts', ...options } }
  return page.evaluate(async ({ prompts, options }) => {
    const notices: string[] = []
    const engine = await latentkit.Engine.load('/model/', {
      ...options,
      onNotice: (notice: string) => void notices.push(notice),
    } as never)
    const written = []
    for (const prompt of prompts) {
      const { text, usage } = await engine.generate(prompt, { maxTokens: 8, temperature: 0, ignoreEos: true })
      written.push({ text, cached: usage.cachedTokens, notices })
    }
    await engine.dispose()
    return written
  }, given)
}

async function writeOne(page: Page, prompt: string, options: object = {}): Promise<Written> {
  return (await write(page, [prompt], options))[0] as Written
}

const storage = (page: Page) => page.evaluate(() => latentkit.keptStorage())
const verified = (page: Page) => page.evaluate(() => latentkit.verifyCached('my texts'))

/** Changes a byte in the middle of each block. */
function damage(page: Page): Promise<number> {
  return page.evaluate(async () => {
    let folder = await (globalThis as unknown as Web).navigator.storage.getDirectory()
    for (const name of ['latentkit', 'blocks', 'my%20texts']) folder = await folder.getDirectoryHandle(name)
    let damaged = 0
    const each = async (folder: Opfs) => {
      for await (const entry of folder.values()) {
        if (entry.kind === 'directory') await each(entry)
        else if (entry.name.endsWith('.block')) {
          const bytes = new Uint8Array(await (await entry.getFile()).arrayBuffer())
          const position = bytes.length >> 1
          const file = await entry.createWritable({ keepExistingData: true })
          await file.write({ type: 'write', position, data: Uint8Array.of((bytes[position] ?? 0) ^ 4) })
          await file.close()
          damaged++
        }
      }
    }
    await each(folder)
    return damaged
  })
}

async function open(options: object = {}, context?: BrowserContext) {
  const server = await serve(options)
  const own = context ?? (await newContext())
  return { server, context: own, page: await openPage(server, own) }
}

describe.skipIf(NO_CHROMIUM)(`what a page keeps${WHY_SKIPPED}`, { timeout: 120_000 }, () => {
  it.each([true, false])('a later tab goes on from what an earlier one has read, isolated: %s', async isolated => {
    const { server, context, page } = await open({ isolated })
    const cold = await writeOne(page, LONG)
    expect(cold).toMatchObject({ cached: 0, notices: [] })
    await page.close()
    const next = await openPage(server, context)
    const warm = await writeOne(next, LONG)
    expect(warm.cached).toBeGreaterThanOrEqual(256)
    expect({ text: warm.text, notices: warm.notices }).toEqual({ text: cold.text, notices: [] })
    // Nothing of another arithmetic, or where nothing is to be kept.
    expect((await writeOne(next, LONG, { cacheType: 'f16' })).cached).toBe(0)
    expect((await writeOne(next, LONG, { cacheDir: undefined })).cached).toBe(0)
  })

  it('a damaged block is a miss, is removed, and computed again', async () => {
    const { page } = await open()
    const cold = await writeOne(page, LONG)
    const damaged = await damage(page)
    expect(damaged).toBeGreaterThanOrEqual(4)
    expect((await verified(page)).damaged).toHaveLength(damaged)
    const again = await writeOne(page, LONG)
    expect({ text: again.text, cached: again.cached }).toEqual({ text: cold.text, cached: 0 })
    expect(again.notices.join()).toMatch(
      /cache: my texts\/\S+\.block is damaged \(its checksum is wrong\); it was removed/,
    )
    // Blocks behind a missing one are not looked at: what is damaged among them goes when its turn comes.
    expect((await writeOne(page, LONG)).text).toBe(cold.text)
    const warm = await writeOne(page, LONG)
    expect(warm.text).toBe(cold.text)
    expect(warm.cached).toBeGreaterThan(0)
  })

  it('two tabs at once do no harm', async () => {
    const { server, context, page } = await open()
    const pages = [page, await openPage(server, context)]
    const prompts = [LONG, `A fox. ${LONG}`, `A dog. ${LONG}`]
    const [one, two] = await Promise.all(pages.map(page => write(page, prompts)))
    expect(one?.map(({ text }) => text)).toEqual(two?.map(({ text }) => text))
    expect([...(one ?? []), ...(two ?? [])].flatMap(({ notices }) => notices)).toEqual([])
    const { blocks, damaged } = await verified(page)
    expect({ blocks: blocks >= 12, damaged }).toEqual({ blocks: true, damaged: [] })
    const warm = await Promise.all(pages.map(page => write(page, prompts)))
    for (const { cached } of warm.flat()) expect(cached).toBeGreaterThanOrEqual(256)
  })

  it('a full quota is a miss, and the bound is held', async () => {
    const { server, context, page } = await open()
    const cold = await writeOne(page, LONG)
    const [cache] = (await storage(page)).caches
    const block = (cache?.bytes ?? 0) / (cache?.models[0]?.blocks ?? 1)
    await write(page, [`A fox. ${LONG}`, `A dog. ${LONG}`], { cacheDirBytes: Math.ceil(6 * block) })
    expect((await storage(page)).caches[0]?.bytes).toBeLessThanOrEqual(6 * block)
    const devtools = await context.newCDPSession(page)
    const { usage } = await storage(page)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: (usage ?? 0) + 1000 })
    const full = await writeOne(page, `A cat. ${LONG}`, { keep: false })
    expect(full.text.length).toBeGreaterThan(4)
    expect((await verified(page)).damaged).toEqual([])
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 1000 })
    const none = await writeOne(page, LONG, { keep: false })
    expect(none.text).toBe(cold.text)
    expect(none.notices.join()).toMatch(/^cache: a block could not be kept in my texts\/[0-9a-f]+: /)
  })

  it('sessions are listed, read and removed; the storage view has all', async () => {
    const { page } = await open()
    await writeOne(page, LONG)
    const seen = await page.evaluate(async () => {
      const engine = await latentkit.Engine.load('/model/', { threads: 1 })
      const session = engine.session()
      await session.prompt('Once', { maxTokens: 8 })
      await session.save('tales/one')
      await session.save('..', { notes: { title: 'dots' } })
      await engine.dispose()
      const before = await latentkit.keptStorage()
      const { notes, tokens } = await latentkit.inspectSession('..')
      const missing = await latentkit.inspectSession('none').catch((error: { code: string }) => error.code)
      const removed = [await latentkit.removeKeptSession('tales/one'), await latentkit.removeKeptSession('none')]
      const freed = await latentkit.removeCached('my texts')
      const typo = [await latentkit.cachedModels('my tests'), await latentkit.removeCached('my tests')]
      await latentkit.removeKeptModel(before.models[0]?.source ?? '')
      return { before, notes, tokens, missing, removed, freed, typo, after: await latentkit.keptStorage() }
    })
    expect(seen.before).toMatchObject({
      models: [{ complete: true }],
      sessions: [{ name: '..', bytes: expect.any(Number), savedAt: expect.any(Date) }, { name: 'tales/one' }],
      caches: [{ cacheDir: 'my texts', models: [{ label: 'model' }] }],
      persisted: expect.any(Boolean),
    })
    const { models, sessions, caches, bytes, usage, quota } = seen.before
    expect(bytes).toBe([...models, ...sessions, ...caches].reduce((n, kept) => n + kept.bytes, 0))
    expect(usage).toBeGreaterThanOrEqual(bytes)
    expect(quota).toBeGreaterThan(bytes)
    expect(seen).toMatchObject({
      notes: { title: 'dots' },
      missing: 'bad_session_file',
      removed: [true, false],
      typo: [[], 0],
    })
    expect(seen.freed).toBe(caches[0]?.bytes)
    expect(seen.after).toMatchObject({ models: [], caches: [], sessions: [{ name: '..' }] })
  })

  it('a tab that is closed in the middle leaves the older session, or the new one, whole, and no half of a block', async () => {
    const { server, context, page } = await open()
    let tab = page
    const tokens: number[] = []
    for (const delay of [0, 30, 90]) {
      const saving = tab.evaluate(async prompt => {
        const engine = await latentkit.Engine.load('/model/', { threads: 1, cacheDir: 'my texts' })
        const session = engine.session()
        await session.prompt(prompt, { maxTokens: 1 })
        await session.save('kept')
        Object.assign(globalThis, { saved: true })
        for (;;) {
          await session.prompt(' and a fox'.repeat(30), { maxTokens: 1 })
          await session.save('kept')
        }
      }, LONG)
      saving.catch(() => {})
      await Promise.race([saving, tab.waitForFunction(() => 'saved' in globalThis)])
      await new Promise(resolve => setTimeout(resolve, delay))
      await tab.close()
      tab = await openPage(server, context)
      expect((await verified(tab)).damaged).toEqual([])
      tokens.push((await tab.evaluate(() => latentkit.inspectSession('kept'))).tokens)
    }
    for (const count of tokens) expect(count).toBeGreaterThan(256)
  })
})
