/** `latentkit/browser` in Debian's Firefox ESR, by WebDriver BiDi: texts, schemas, kept models and sessions, under a strict policy. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectedTexts } from '../engine/tales.ts'
import { serve } from './in-chromium.ts'

declare const latentkit: typeof import('../../src/browser.ts')

const FIREFOX = process.env.LATENTKIT_FIREFOX ?? '/usr/bin/firefox-esr'
const WEB = fileURLToPath(new URL('../interop/web/', import.meta.url))
const lacks = [
  existsSync(FIREFOX) ? null : 'there is no Firefox here',
  existsSync(join(WEB, 'node_modules', 'puppeteer-core')) ? null : 'npm run nightly -- web installs its driver',
].filter(lack => lack !== null)
const why = lacks.map(lack => ` (${lack})`).join('')

/** The part of puppeteer-core that is used. */
interface Puppeteer {
  launch(options: object): Promise<{ newPage(): Promise<FirefoxPage>; close(): Promise<void> }>
}
interface FirefoxPage {
  goto(url: string): Promise<unknown>
  waitForFunction(test: () => boolean): Promise<unknown>
  evaluate<A, T>(work: (given: A) => Promise<T>, given: A): Promise<T>
}

async function openFirefox(url: string): Promise<FirefoxPage> {
  const driver = createRequire(join(WEB, 'package.json')).resolve('puppeteer-core')
  const { default: puppeteer } = (await import(pathToFileURL(driver).href)) as { default: Puppeteer }
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX, headless: true })
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  await page.goto(url)
  await page.waitForFunction(() => 'latentkit' in globalThis)
  return page
}

describe.skipIf(lacks.length > 0)(`Firefox${why}`, { timeout: 120_000 }, () => {
  it.each([
    { isolated: true, threads: 2 },
    { isolated: false, threads: 1 },
  ])('writes the expected text and keeps what it should, isolated: $isolated', async ({ isolated, threads }) => {
    const server = await serve({ isolated })
    const page = await openFirefox(server.url)
    const [{ text, greedyText }] = expectedTexts() as [ReturnType<typeof expectedTexts>[0]]
    const written = await page.evaluate(async prompt => {
      const many = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated ? { threads: 2 } : {}
      const options = { cacheType: 'f32', ...many } as const
      const engine = await latentkit.Engine.load('/model/', options)
      const { text } = await engine.generate(prompt, { maxTokens: 32, temperature: 0, ignoreEos: true })
      const session = engine.session()
      await session.prompt('Tom had', { maxTokens: 8, seed: 1 })
      await session.save('kept')
      const direct = await session.prompt(' a', { maxTokens: 8, seed: 2 })
      const restored = await (await engine.restore('kept')).prompt(' a', { maxTokens: 8, seed: 2 })
      const properties = { name: { type: 'string', maxLength: 8 } }
      const schema = { type: 'object', properties, required: ['name'], additionalProperties: false }
      const { value } = await engine.generate('Once', { schema, maxTokens: 60, seed: 1 })
      const abort = new AbortController()
      setTimeout(() => abort.abort(new Error('enough')), 100)
      const long = engine.generate('Once', { maxTokens: 4000, ignoreEos: true, signal: abort.signal })
      const stopped = await long.then(
        () => 'it went on',
        (error: Error) => error.message,
      )
      await session.save('kept')
      await engine.dispose()
      const drawn = { maxTokens: 8, temperature: 0, ignoreEos: true }
      const runs = []
      for (let i = 0; i < 2; i++) {
        const offline = await latentkit.Engine.load('/model/', { ...options, offline: true, cacheDir: 'texts' })
        const { text, usage } = await offline.generate('Once upon a time '.repeat(40), drawn)
        await offline.dispose()
        runs.push({ text, cached: usage.cachedTokens })
      }
      const { models, sessions, caches } = await latentkit.keptStorage()
      const { blocks, damaged } = await latentkit.verifyCached('texts')
      const storage = { sessions: sessions.map(({ name }) => name), caches: caches.length, blocks, damaged, runs }
      const { notes } = await latentkit.inspectSession('kept')
      const removed = [await latentkit.removeKeptSession('kept'), (await latentkit.removeCached('texts')) > 0, notes]
      const [model] = models
      const { name, threads } = engine.info.kernels
      return {
        text,
        same: direct.text === restored.text,
        value,
        stopped,
        storage,
        removed,
        complete: model?.complete,
        name,
        threads,
      }
    }, text)
    expect(written).toMatchObject({ same: true, stopped: 'enough', complete: true, name: 'wasm', threads })
    const { runs, blocks, ...storage } = written.storage
    expect(storage).toEqual({ sessions: ['kept'], caches: 1, damaged: [] })
    expect(blocks).toBeGreaterThan(1)
    expect(runs[1]?.text).toBe(runs[0]?.text)
    expect([runs[0]?.cached, (runs[1]?.cached ?? 0) >= 64]).toEqual([0, true])
    expect(written.removed).toEqual([true, true, null])
    expect(written.value).toEqual({ name: expect.any(String) })
    expect(written.text.length).toBeGreaterThan(60)
    expect(greedyText.startsWith(written.text)).toBe(true)
  })
})
