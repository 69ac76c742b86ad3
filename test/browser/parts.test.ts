/** What a page needs beside plain texts: schemas, chats, vectors, kept sessions; what it loads for each, and what goes wrong. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CHAT_TEMPLATE, TALES } from '../engine/tales.ts'
import { BUILT, NO_CHROMIUM, openPage, serve, useChromium, WHY_SKIPPED } from './in-chromium.ts'
import type { StaticServer } from './static-server.ts'

declare const latentkit: typeof import('../../src/browser.ts')

// As built: the thread of the masks runs no TypeScript.
const { Engine } = (await import('../../dist/src/index.js' as string)) as typeof import('../../src/index.ts')

useChromium()

/** Names of the package's files that a page has fetched. */
function fetched({ requests }: StaticServer): string[] {
  return [...new Set(requests.flatMap(request => /^GET \/latentkit\/(\S+)/.exec(request)?.slice(1) ?? []))].sort()
}

const compressed = (names: readonly string[]) =>
  names.reduce((n, name) => n + gzipSync(readFileSync(join(BUILT, name))).length, 0)

/** A folder that the browser keeps. */
interface Opfs {
  getDirectoryHandle(name: string, options: object): Promise<Opfs>
  getFileHandle(name: string, options: object): Promise<unknown>
  keys(): AsyncIterable<string>
}

interface Web {
  readonly navigator: { readonly storage: { getDirectory(): Promise<Opfs> } }
}

const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 99 } },
  required: ['name', 'age'],
  additionalProperties: false,
}

// The instruction set that every Node has, too.
const OPTIONS = { cacheType: 'f32', threads: 1, isa: 'simd128', chatTemplate: CHAT_TEMPLATE } as const

describe.skipIf(NO_CHROMIUM)(`in a page${WHY_SKIPPED}`, { timeout: 120_000 }, () => {
  it.each([true, false])('chats, schemas, vectors and kept sessions are as in Node, isolated: %s', async isolated => {
    const server = await serve({ isolated })
    const page = await openPage(server)
    const given = { options: OPTIONS, schema: SCHEMA }
    const inPage = await page.evaluate(async ({ options, schema }) => {
      const engine = await latentkit.Engine.load('/model/', options)
      const session = engine.session()
      const messages = [{ role: 'user', content: 'Tom had a boat.' }]
      const chat = await session.prompt(messages, { seed: 7, maxTokens: 16 })
      const chats = performance.getEntriesByType('resource').map(({ name }) => name)
      // A tab that closed in the middle has left this.
      const { storage } = (globalThis as unknown as Web).navigator
      const root = await storage.getDirectory()
      const create = { create: true }
      const sessions = await (await root.getDirectoryHandle('latentkit', create)).getDirectoryHandle('sessions', create)
      await sessions.getFileHandle(`kept%2Fa.${crypto.randomUUID()}.part`, create)
      await session.save('kept/a')
      const names: string[] = []
      for await (const name of sessions.keys()) names.push(name)
      const goOn = { seed: 8, maxTokens: 8 }
      const direct = await session.prompt(' Then', goOn)
      const restored = await (await engine.restore('kept/a')).prompt(' Then', goOn)
      const missing = await engine.restore('kept/b').catch((error: Error) => error.message)
      const held = await engine.generate('Once upon a time', { schema, seed: 1, maxTokens: 60 })
      const { embeddings } = await engine.embed(['a boat', 'the sea'])
      const abort = new AbortController()
      const long = engine.generate('Once', { maxTokens: 4000, ignoreEos: true, signal: abort.signal })
      setTimeout(() => abort.abort(new Error('enough')), 100)
      const stopped = await long.then(
        () => 'it went on',
        (error: Error) => error.message,
      )
      await engine.dispose()
      const vectors = embeddings.map(vector => [...vector])
      const texts = { chat: chat.text, held: held.text, value: held.value, direct: direct.text }
      return { ...texts, restored: restored.text, missing, names, vectors, stopped, chats }
    }, given)
    const engine = await Engine.load(TALES, { ...OPTIONS, kernels: 'wasm', inline: true })
    const messages = [{ role: 'user', content: 'Tom had a boat.' }]
    const session = engine.session()
    expect(inPage.chat).toBe((await session.prompt(messages, { seed: 7, maxTokens: 16 })).text)
    expect(inPage.direct).toBe((await session.prompt(' Then', { seed: 8, maxTokens: 8 })).text)
    expect(inPage.restored).toBe(inPage.direct)
    expect(inPage.missing).toMatch(/kept\/b/)
    expect(inPage.names).toEqual(['kept%2Fa'])
    const held = await engine.generate('Once upon a time', { schema: SCHEMA, seed: 1, maxTokens: 60 })
    expect({ text: inPage.held, value: inPage.value }).toEqual({ text: held.text, value: held.value })
    const { embeddings } = await engine.embed(['a boat', 'the sea'])
    expect(inPage.vectors).toEqual(embeddings.map(vector => [...vector]))
    expect(inPage.stopped).toBe('enough')
    await engine.dispose()
  })

  it('the page with engine and no model is at most 1 MB compressed; the grammar comes when it is needed', async () => {
    const server = await serve()
    const page = await openPage(server)
    const { isa: _, ...rest } = OPTIONS
    const loaded = { ...rest, threads: 2 }
    await page.evaluate(async options => {
      const engine = await latentkit.Engine.load('/model/', options)
      await engine.session().prompt([{ role: 'user', content: 'Tom had a boat.' }], { maxTokens: 4 })
      Object.assign(globalThis, { engine })
    }, loaded)
    const chat = fetched(server)
    expect(chat).toContain('latentkit-worker.js')
    expect(chat).toContain('latentkit-thread.js')
    expect(chat.filter(name => /^core.*\.wasm$/.test(name))).toEqual([expect.stringMatching(/-threads\.wasm$/)])
    expect(compressed(chat)).toBeLessThanOrEqual(1_000_000)
    await page.evaluate(async schema => {
      const { engine } = globalThis as unknown as { engine: import('../../src/browser.ts').Engine }
      await engine.generate('Once upon a time', { schema, seed: 1, maxTokens: 60 })
    }, SCHEMA)
    const grammar = fetched(server).filter(name => !chat.includes(name))
    expect(grammar).toContain('grammar.wasm')
    expect(grammar).toContain('latentkit-masks.js')
    console.log(`compressed: ${compressed(chat)} bytes for a chat, ${compressed(grammar)} more for a schema`)
  })

  it('a policy that forbids workers, and files that are not there, are sentences', async () => {
    const load = async (csp: string, assets?: string) => {
      const page = await openPage(await serve({ csp }))
      return page.evaluate(
        async assets => {
          try {
            await latentkit.Engine.load('/model/', assets === undefined ? {} : { assets })
            return null
          } catch (error) {
            const { code, message } = error as { code: string; message: string }
            return { code, message }
          }
        },
        assets as string | undefined,
      )
    }
    const strict = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
    for (const [csp, assets] of [[`${strict}; worker-src 'none'`], [strict, '/nowhere/']] as const) {
      expect(await load(csp, assets)).toMatchObject({
        code: 'worker',
        message: expect.stringMatching(/cannot be started: .*docs\/browser\.md/),
      })
    }
    const uncompiled = strict.replace(" 'wasm-unsafe-eval'", '')
    expect(await load(uncompiled)).toMatchObject({
      code: 'kernels_unavailable',
      message: expect.stringMatching(/\/core\S*\.wasm cannot be compiled \(.*docs\/browser\.md\)/),
    })
  })
})
