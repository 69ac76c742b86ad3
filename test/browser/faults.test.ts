/** What may happen to a page: a worker that dies, a tab in the background, sets and folders of files, files that lie. The page goes on. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { CHAT_TEMPLATE, TALES } from '../engine/tales.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { BUILT, NO_CHROMIUM, openPage, serve, useChromium, WHY_SKIPPED } from './in-chromium.ts'

declare const latentkit: typeof import('../../src/browser.ts')

const FIXTURES = 'test/fixtures/gguf'
const SPLIT = [1, 2].map(n => `llama-gqa-split-q8_0-0000${n}-of-00002.gguf`)

useChromium()

/** What pages of these tests know beside. */
interface Globals {
  engine: import('../../src/browser.ts').Engine
  dropped: Promise<readonly { readonly path: string; readonly file: Blob }[]>
  readonly document: DropTarget & { getElementById(id: string): { readonly files: Iterable<Blob> } }
}
interface DropTarget {
  ondragover: (event: { preventDefault(): void }) => void
  ondrop: (event: { preventDefault(): void; readonly dataTransfer: unknown }) => void
}

/** Loads in the page and writes; what went wrong as one line. */
const tell = (page: Page, source: string) =>
  page.evaluate(async source => {
    try {
      const engine = await latentkit.Engine.load(source, { threads: 1 })
      const { tokenIds } = await engine.generate(
        { tokenIds: [1, 2, 3] },
        { maxTokens: 4, temperature: 0, ignoreEos: true },
      )
      await engine.dispose()
      return tokenIds.join()
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      return `${code}: ${message}`
    }
  }, source)

describe.skipIf(NO_CHROMIUM)(`in a page${WHY_SKIPPED}`, { timeout: 120_000 }, () => {
  it('a worker that the browser ends is a sentence, and the next prompt has another', async () => {
    const page = await openPage(await serve())
    const started = page.waitForEvent('worker')
    const cut = page.evaluate(async () => {
      const engine = await latentkit.Engine.load('/model/', { threads: 1 })
      Object.assign(globalThis, { engine })
      try {
        // A text ends where the context does; the worker is to end within one, whenever that is.
        for (;;) await engine.generate('Once', { maxTokens: 100_000, ignoreEos: true })
      } catch (error) {
        const { code, message } = error as { code: string; message: string }
        return `${code}: ${message}`
      }
    })
    const worker = await started
    await page.waitForFunction(() => 'engine' in globalThis)
    await worker.evaluate(() => (globalThis as unknown as { close(): void }).close())
    expect(await cut).toMatch(/^worker: The engine's thread ended unexpectedly: the browser has ended it\. All answers/)
    const texts = await page.evaluate(async () => {
      const { engine } = globalThis as unknown as Globals
      const drawn = { maxTokens: 8, temperature: 0, ignoreEos: true }
      const again = await engine.generate('Once', drawn).then(
        ({ text }) => text,
        (error: Error) => error.message,
      )
      await engine.dispose()
      const other = await latentkit.Engine.load('/model/', { threads: 1, offline: true })
      const { text } = await other.generate('Once', drawn)
      await other.dispose()
      return [again, text]
    })
    expect(texts[0]).toBe(texts[1])
  })

  it('a tab that is frozen in the background goes on where it was', async () => {
    const page = await openPage(await serve())
    const devtools = await page.context().newCDPSession(page)
    const written = page.evaluate(async () => {
      const engine = await latentkit.Engine.load('/model/', { threads: 1 })
      const drawn = { maxTokens: 200, temperature: 0, ignoreEos: true } as const
      const answer = engine.generate('Once', drawn)
      let parts = 0
      for await (const _ of answer) if (++parts === 4) Object.assign(globalThis, { begun: true })
      const { text } = await answer
      const again = await engine.generate('Once', { ...drawn, reuse: false })
      await engine.dispose()
      return [text, again.text]
    })
    await page.waitForFunction(() => 'begun' in globalThis)
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    await new Promise(resolve => setTimeout(resolve, 500))
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    const [text, again] = await written
    expect(text?.length).toBeGreaterThan(300)
    expect(text).toBe(again)
  })

  it('a split GGUF set loads by any of its parts, and as files', async () => {
    const server = await serve({ folders: { latentkit: BUILT, set: FIXTURES } })
    const page = await openPage(server)
    const ids = await tell(page, `/set/${SPLIT[0]}`)
    expect(ids).toMatch(/^\d+,\d+,\d+,\d+$/)
    expect(await tell(page, `/set/${SPLIT[1]}`)).toBe(ids)
    await page.setContent('<input id="files" type="file" multiple>')
    const picked = (files: readonly string[]) =>
      page
        .locator('#files')
        .setInputFiles(files.map(file => join(FIXTURES, file)))
        .then(() =>
          page.evaluate(async () => {
            const { document } = globalThis as unknown as Globals
            try {
              const engine = await latentkit.Engine.load(document.getElementById('files').files, { threads: 1 })
              const drawn = { maxTokens: 4, temperature: 0, ignoreEos: true }
              const { tokenIds } = await engine.generate({ tokenIds: [1, 2, 3] }, drawn)
              await engine.dispose()
              return tokenIds.join()
            } catch (error) {
              return (error as Error).message
            }
          }),
        )
    expect(await picked(SPLIT.toReversed())).toBe(ids)
    expect(await picked(SPLIT.slice(0, 1))).toMatch(/00002-of-00002/)
  })

  it('a folder that is dropped on the page loads', async () => {
    const page = await openPage(await serve())
    await page.evaluate(() => {
      const globals = globalThis as unknown as Globals
      globals.document.ondragover = event => event.preventDefault()
      globals.document.ondrop = event => {
        event.preventDefault()
        globals.dropped = latentkit.droppedFiles(event.dataTransfer)
      }
    })
    const devtools = await page.context().newCDPSession(page)
    const data = { items: [], files: [join(process.cwd(), TALES)], dragOperationsMask: 1 }
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await devtools.send('Input.dispatchDragEvent', { type, x: 5, y: 5, data })
    }
    await page.waitForFunction(() => 'dropped' in globalThis)
    const seen = await page.evaluate(async () => {
      const files = await (globalThis as unknown as Globals).dropped
      const engine = await latentkit.Engine.load(files, { threads: 1 })
      const { text } = await engine.generate('Once', { maxTokens: 8, temperature: 0, ignoreEos: true })
      const { name } = engine.info
      await engine.dispose()
      return { paths: files.map(({ path }) => path), name, text }
    })
    expect(seen.paths).toContain('tales-mla-8m/model.safetensors')
    expect(seen.name).toBe('tales-mla-8m')
    expect(seen.text.length).toBeGreaterThan(8)
  })

  it('tools are called and their results come back', async () => {
    const page = await openPage(await serve())
    const seen = await page.evaluate(async chatTemplate => {
      const engine = await latentkit.Engine.load('/model/', { threads: 1, chatTemplate })
      const parameters = {
        type: 'object',
        properties: { city: { enum: ['Bonn', 'Rom'] } },
        required: ['city'],
        additionalProperties: false,
      }
      const given: unknown[] = []
      const execute = (city: unknown) => void given.push(city)
      const tools = { weather: { parameters, execute } }
      const held = { tools, toolChoice: { name: 'weather' }, parallel: false, format: 'hermes', seed: 1 } as const
      const options = { ...held, temperature: 1, maxTokens: 120, maxRounds: 2 }
      const { messages } = await engine.session().chat([{ role: 'user', content: 'x' }], options)
      await engine.dispose()
      return { given, roles: messages.map(({ role }) => role) }
    }, CHAT_TEMPLATE)
    expect(seen.given[0]).toEqual({ city: expect.stringMatching(/^(Bonn|Rom)$/) })
    expect(seen.roles.slice(0, 2)).toEqual(['assistant', 'tool'])
  })

  it('files that lie are sentences, and the page goes on', async () => {
    const folder = tempFolder()
    const whole = readFileSync(join(FIXTURES, 'deepseek2-dense-q8_0.gguf'))
    // Counts of tensors and keys, lengths and offsets that no file has.
    for (const [name, at] of [
      ['tensors', 8],
      ['keys', 16],
      ['key', 24],
    ] as const) {
      const bytes = Buffer.from(whole)
      bytes.writeBigUInt64LE(0x7fff_ffff_ffffn, at)
      writeFileSync(join(folder, `${name}.gguf`), bytes)
    }
    writeFileSync(join(folder, 'short.gguf'), whole.subarray(0, whole.length - 1000))
    writeFileSync(join(folder, 'page.gguf'), '<!doctype html><title>Sign in</title>')
    writeFileSync(join(folder, 'good.gguf'), whole)
    mkdirSync(join(folder, 'long'))
    for (const file of ['config.json', 'tokenizer.json'])
      symlinkSync(join(process.cwd(), TALES, file), join(folder, 'long', file))
    const header = Buffer.alloc(4096)
    header.writeBigUInt64LE(99_000_000n)
    writeFileSync(join(folder, 'long', 'model.safetensors'), header)
    const page = await openPage(await serve({ folders: { latentkit: BUILT, files: folder } }))
    for (const name of ['tensors', 'keys', 'key', 'short', 'page']) {
      expect(await tell(page, `/files/${name}.gguf`)).toMatch(new RegExp(`^bad_checkpoint: ${name}\\.gguf\\b.{20,}`))
    }
    expect(await tell(page, '/files/long/')).toMatch(/^bad_checkpoint: model\.safetensors\b/)
    expect(await tell(page, '/files/good.gguf')).toMatch(/^\d+,/)
  })
})
