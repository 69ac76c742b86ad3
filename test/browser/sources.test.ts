/** Where pages get models from: addresses, the hub, picked files. What is cut, full, changed or gone is not believed. */
import { createHash } from 'node:crypto'
import { cpSync, createReadStream, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { convertModel } from '../../src/tools.ts'
import { expectedTexts, TALES } from '../engine/tales.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { BUILT, NO_CHROMIUM, newContext, openPage, serve, useChromium, WHY_SKIPPED } from './in-chromium.ts'

declare const latentkit: typeof import('../../src/browser.ts')

useChromium()

const [{ text: PROMPT, greedyText: GREEDY }] = expectedTexts() as [ReturnType<typeof expectedTexts>[0]]
const WEIGHTS = 'model.safetensors'
const SIZE = statSync(join(TALES, WEIGHTS)).size
/** Bytes that are read for the header, before the download: it goes on behind them. */
const HEAD = 1 << 18

interface Loaded {
  readonly text: string
  readonly notices: readonly string[]
  readonly error: { readonly code: string; readonly message: string } | null
}

/** Loads in the page and writes 16 tokens. */
function load(page: Page, source: string, options: object = {}): Promise<Loaded> {
  const given = { source, prompt: PROMPT, options: { cacheType: 'f32', threads: 1, ...options } }
  return page.evaluate(async ({ source, prompt, options }) => {
    const notices: string[] = []
    try {
      const onNotice = (notice: string) => void notices.push(notice)
      const onProgress = ({ file, loaded }: { file: string; loaded: number }) => {
        if (file === 'model.safetensors') Object.assign(globalThis, { taken: loaded })
      }
      const engine = await latentkit.Engine.load(source, { ...options, onNotice, onProgress } as never)
      const { text } = await engine.generate(prompt, { maxTokens: 16, temperature: 0, ignoreEos: true })
      await engine.dispose()
      return { text, notices, error: null }
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      return { text: '', notices, error: { code, message } }
    }
  }, given)
}

function expectWritten({ text, error }: Loaded): void {
  expect(error).toBe(null)
  expect(text.length).toBeGreaterThan(20)
  expect(GREEDY.startsWith(text)).toBe(true)
}

const kept = (page: Page) => page.evaluate(() => latentkit.keptModels())

/** Resolves when a page that loads says that it has more than so many bytes of the weights. */
const hasTaken = (page: Page, bytes: number) =>
  page.waitForFunction(bytes => ((globalThis as { taken?: number }).taken ?? 0) > bytes, bytes)

const startOf = (request: IncomingMessage) => Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)

/**
 * Sends the weights from where they were asked for to byte `to`, then a little more now and then until the page says that it has those: what
 * it has not read when a connection breaks is lost.
 */
async function sendTo(
  page: Page,
  request: IncomingMessage,
  response: ServerResponse,
  to: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const start = startOf(request)
  const range = { 'content-length': SIZE - start, 'content-range': `bytes ${start}-${SIZE - 1}/${SIZE}` }
  const { mtime } = statSync(join(TALES, WEIGHTS))
  response.writeHead(206, { ...range, 'last-modified': mtime.toUTCString(), ...headers })
  let waits = true
  const end = () => {
    waits = false
  }
  hasTaken(page, to - 1).then(end, end)
  const bytes = readFileSync(join(TALES, WEIGHTS))
  for (let at = to; waits && !response.destroyed && at < SIZE; at += 1000) {
    response.write(bytes.subarray(at === to ? start : at, at + 1000))
    await sleep(60)
  }
}

/** Where downloads of the weights began; what is read for their header has an end. */
const starts = (requests: readonly string[]) =>
  requests.flatMap(r => /^GET .*model\.safetensors bytes=(\d+)-$/.exec(r)?.slice(1).map(Number) ?? [])

const isWeights = ({ url, method, headers }: IncomingMessage) =>
  method === 'GET' && url === `/model/${WEIGHTS}` && /-$/.test(headers.range ?? '')

/** Answers the first request for the weights with 9 MB of them, and leaves it open; later ones go through. */
function firstBroken(page: () => Page) {
  let first = true
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (!isWeights(request) || !first) return false
    first = false
    void sendTo(page(), request, response, 9 << 20)
    return true
  }
}

describe.skipIf(NO_CHROMIUM)(`models in a page${WHY_SKIPPED}`, { timeout: 120_000 }, () => {
  it('an address is downloaded once, kept, used offline, listed and removed', async () => {
    const server = await serve()
    const page = await openPage(server, await newContext())
    expectWritten(await load(page, '/model/'))
    expect(starts(server.requests)).toEqual([HEAD])
    const before = server.requests.length
    expectWritten(await load(page, '/model/'))
    const again = server.requests.slice(before).filter(request => request.includes('/model/'))
    expect(again.filter(request => !request.startsWith('HEAD'))).toEqual([])
    const offline = server.requests.length
    expectWritten(await load(page, '/model/', { offline: true }))
    expect(server.requests.slice(offline).filter(request => request.includes('/model/'))).toEqual([])
    const [model, ...others] = await kept(page)
    expect(others).toEqual([])
    expect(model).toMatchObject({ source: `${server.url}/model/`, complete: true, used: expect.any(Date) })
    expect(model?.bytes).toBeGreaterThan(SIZE)
    expect(await page.evaluate(source => latentkit.removeKeptModel(source), `${server.url}/model/`)).toBe(true)
    expect(await kept(page)).toEqual([])
    expect((await load(page, '/model/', { offline: true })).error?.code).toBe('model_not_found')
  })

  it('the token of the hub goes to the hub alone', async () => {
    const tokens = new Set<string | undefined>()
    const server = await serve({
      intercept: ({ url, headers }) => {
        if (url?.startsWith('/model/')) tokens.add(headers.authorization)
        return false
      },
    })
    const page = await openPage(server)
    expectWritten(await load(page, '/model/', { keep: false, hub: { token: 'secret' } }))
    expect([...tokens]).toEqual([undefined])
    tokens.clear()
    expectWritten(await load(page, '/model/', { keep: false, hub: { token: 'secret', endpoint: server.url } }))
    expect([...tokens]).toEqual(['Bearer secret'])
  })

  it('a connection that is cut at every tenth is continued there', async () => {
    let cuts = 0
    const server = await serve({
      intercept: (request, response) => {
        if (!isWeights(request) || cuts === 9) return false
        cuts++
        void sendTo(page, request, response, Math.ceil((cuts * SIZE) / 10)).then(() => response.destroy())
        return true
      },
    })
    const page = await openPage(server)
    expectWritten(await load(page, '/model/'))
    const from = starts(server.requests)
    expect(from).toHaveLength(10)
    expect(from[0]).toBe(HEAD)
    from.forEach((start, i) => {
      expect(start).toBeGreaterThanOrEqual((i * SIZE) / 10)
    })
  })

  it('a file that changes between two connections is begun anew', async () => {
    let first = true
    const old = { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }
    const server = await serve({
      intercept: (request, response) => {
        if (first && request.method === 'GET' && request.headers.range === `bytes=0-${HEAD - 1}`) {
          response.writeHead(206, { 'content-length': HEAD, 'content-range': `bytes 0-${HEAD - 1}/${SIZE}`, ...old })
          createReadStream(join(TALES, WEIGHTS), { end: HEAD - 1 }).pipe(response)
          return true
        }
        if (!isWeights(request) || !first) return false
        first = false
        void sendTo(page, request, response, HEAD + 1000, old).then(() => response.destroy())
        return true
      },
    })
    const page = await openPage(server)
    expectWritten(await load(page, '/model/'))
    const from = starts(server.requests)
    expect(from).toEqual([HEAD, expect.any(Number), 0])
    expect(from[1]).toBeGreaterThan(HEAD)
  })

  it('a server that ignores ranges is read from the start again', async () => {
    let first = true
    const server = await serve({
      intercept: (request, response) => {
        if (!isWeights(request)) return false
        if (first) {
          first = false
          void sendTo(page, request, response, HEAD + 1000).then(() => response.destroy())
        } else {
          response.writeHead(200, { 'content-length': SIZE })
          createReadStream(join(TALES, WEIGHTS)).pipe(response)
        }
        return true
      },
    })
    const page = await openPage(server)
    expectWritten(await load(page, '/model/'))
    const from = starts(server.requests)
    expect(from).toEqual([HEAD, expect.any(Number)])
    expect(from[1]).toBeGreaterThan(HEAD)
  })

  it('a tab that is closed in the middle leaves nothing that is believed, and little to do again', async () => {
    const server = await serve({ intercept: firstBroken(() => page) })
    const context = await newContext()
    const page = await openPage(server, context)
    void load(page, '/model/').catch(() => {})
    // Beyond the first record of what is there.
    await hasTaken(page, (9 << 20) - 1)
    await page.close()
    const next = await openPage(server, context)
    expect(await kept(next)).toMatchObject([{ complete: false, used: null }])
    expect((await load(next, '/model/', { offline: true })).error?.code).toBe('model_not_found')
    expectWritten(await load(next, '/model/'))
    expect(starts(server.requests)[1]).toBeGreaterThanOrEqual(8 << 20)
  })

  it('a load that is aborted and begun again at once goes on where it was', async () => {
    const server = await serve({ intercept: firstBroken(() => page) })
    const page = await openPage(server)
    await page.evaluate(async () => {
      const stop = new AbortController()
      const onProgress = ({ file, loaded }: { file: string; loaded: number }) => {
        if (file !== 'model.safetensors') return
        Object.assign(globalThis, { taken: loaded })
        if (loaded >= 9 << 20) stop.abort()
      }
      await latentkit.Engine.load('/model/', { threads: 1, signal: stop.signal, onProgress }).catch(() => {})
    })
    const again = await load(page, '/model/')
    expectWritten(again)
    expect(again.notices).toEqual([])
    expect(starts(server.requests)[1]).toBeGreaterThanOrEqual(8 << 20)
  })

  it('two tabs that load one model at once download it once', async () => {
    const server = await serve()
    const context = await newContext()
    const pages = [await openPage(server, context), await openPage(server, context)]
    for (const loaded of await Promise.all(pages.map(page => load(page, '/model/')))) expectWritten(loaded)
    expect(starts(server.requests)).toEqual([HEAD])
  })

  it('a file that changes on the server is downloaded again, whole', async () => {
    let version = 'Mon, 01 Jan 2024 00:00:00 GMT'
    const server = await serve({
      intercept: (request, response) => {
        if (request.url !== `/model/${WEIGHTS}`) return false
        const start = startOf(request)
        response.writeHead(206, { 'content-length': SIZE - start, 'last-modified': version })
        if (request.method === 'HEAD') response.end()
        else createReadStream(join(TALES, WEIGHTS), { start }).pipe(response)
        return true
      },
    })
    const page = await openPage(server)
    expectWritten(await load(page, '/model/'))
    version = 'Tue, 02 Jan 2024 00:00:00 GMT'
    expectWritten(await load(page, '/model/'))
    expect(starts(server.requests)).toEqual([HEAD, HEAD])
  })

  it('without room the model runs and is not kept', async () => {
    const server = await serve()
    const page = await openPage(server)
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 4 << 20 })
    const loaded = await load(page, '/model/')
    expectWritten(loaded)
    expect(loaded.notices.join()).toMatch(/\/model\/ is not kept for the next time: /)
    expect((await load(page, '/model/', { offline: true })).error?.code).toBe('model_not_found')
  })

  it('the hub is asked for a list, and checksums are held', async () => {
    const commit = '0123456789abcdef0123456789abcdef01234567'
    const names = readdirSync(TALES).filter(name => /^(?!expected).*\.(json|safetensors)$/.test(name))
    const bytes = readFileSync(join(TALES, WEIGHTS))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const siblings = names.map(rfilename => ({
      rfilename,
      size: statSync(join(TALES, rfilename)).size,
      ...(rfilename === WEIGHTS && { lfs: { sha256, size: SIZE } }),
    }))
    // The server gives no parts, so the first is for a header that is not read.
    let damaged = 3
    const hub = {
      '/api/models/tales/mla/revision/main': JSON.stringify({ sha: commit, siblings }),
      ...Object.fromEntries(
        names
          .filter(name => name !== WEIGHTS)
          .map(name => [`/tales/mla/resolve/${commit}/${name}`, readFileSync(join(TALES, name), 'utf8')]),
      ),
    }
    const server = await serve({
      intercept: (request, response) => {
        const path = new URL(request.url ?? '', 'http://localhost').pathname
        const text = (hub as Record<string, string>)[path]
        if (text !== undefined) {
          response.end(text)
          return true
        }
        if (path !== `/tales/mla/resolve/${commit}/${WEIGHTS}`) return false
        const sent = Buffer.from(bytes)
        if (damaged > 0) sent[SIZE - 5] = 1 + (sent[SIZE - 5] as number)
        damaged--
        response.end(sent)
        return true
      },
    })
    const page = await openPage(server)
    const endpoint = { hub: { endpoint: server.url } }
    expectWritten(await load(page, 'tales/mla', endpoint))
    expect(damaged).toBe(-1)
    const before = server.requests.length
    expectWritten(await load(page, 'tales/mla', endpoint))
    expect(server.requests.slice(before).filter(request => request.includes('tales'))).toEqual([])
    expect((await load(page, 'tales/none', endpoint)).error).toMatchObject({ code: 'model_not_found' })
  })

  it('what is missing, too large or no model is refused in a sentence', async () => {
    const server = await serve({
      intercept: (request, response) => {
        if (request.url === '/huge/config.json') return false
        if (!request.url?.startsWith('/huge/model.safetensors') || request.method !== 'HEAD') return false
        response.writeHead(200, { 'content-length': 20 * 2 ** 30 }).end()
        return true
      },
      folders: { latentkit: BUILT, model: TALES, huge: TALES },
    })
    const page = await openPage(server)
    const refused = async (source: string) => (await load(page, source)).error
    expect(await refused('/nothing/')).toMatchObject({
      code: 'model_not_found',
      message: `${server.url}/nothing/config.json answers 404: there is no such file`,
    })
    expect((await refused('/huge/'))?.message).toMatch(
      /has 20\.0 GiB of weights; WebAssembly's memory ends at 16 GiB here/,
    )
    expect((await refused('tales.gguf'))?.message).toMatch(/is neither a model on the hub nor an address; expected/)
    expect(server.requests.filter(request => request.startsWith('GET /huge/model.safetensors bytes'))).toEqual([])
  })

  it('what is no model that runs is refused by its header, before it is downloaded', async () => {
    const folder = tempFolder()
    const gguf = join(folder, 'tales.gguf')
    await convertModel(TALES, gguf, { weights: 'q8_0' })
    const bytes = readFileSync(gguf)
    const place = bytes.indexOf('general.architecture')
    bytes.write('mystery9', bytes.indexOf('deepseek2', place), 'latin1')
    writeFileSync(join(folder, 'unknown.gguf'), bytes)
    writeFileSync(join(folder, 'cut.gguf'), readFileSync(gguf).subarray(0, 3_000_000))
    writeFileSync(join(folder, 'zeros.gguf'), Buffer.alloc(3_000_000))
    for (const file of ['config.json', 'tokenizer.json']) cpSync(join(TALES, file), join(folder, file))
    writeFileSync(join(folder, 'model.safetensors'), readFileSync(join(TALES, WEIGHTS)).subarray(0, SIZE >> 1))
    const server = await serve({ folders: { latentkit: BUILT, bad: folder } })
    const page = await openPage(server)
    const refused = async (source: string) => {
      const { error } = await load(page, source)
      return `${error?.code}: ${error?.message}`
    }
    expect(await refused('/bad/unknown.gguf')).toMatch(/^unsupported_model: .*mystery9/)
    expect(await refused('/bad/cut.gguf')).toMatch(/^bad_checkpoint: cut\.gguf/)
    expect(await refused('/bad/zeros.gguf')).toMatch(/^bad_checkpoint: zeros\.gguf begins with zeros/)
    expect(await refused('/bad/')).toMatch(/^bad_checkpoint: model\.safetensors/)
    const downloads = server.requests.filter(r => /^GET \/bad\/\S+\.(gguf|safetensors) bytes=\d+-$/.test(r))
    expect(downloads).toEqual([])
    expect(await kept(page)).toMatchObject([0, 1, 2, 3].map(() => ({ complete: false })))
    // The page goes on.
    expect((await load(page, '/bad/tales.gguf')).error).toBe(null)
  })

  it('what does not fit in memory as it would be loaded is refused before it is downloaded', async () => {
    // The bundled model with a vocabulary that takes 7.9 GiB as bf16, and 15.7 GiB as f32.
    const vocabulary = 16_500_000
    const whole = readFileSync(join(TALES, WEIGHTS))
    const end = 8 + Number(whole.readBigUInt64LE())
    const header = JSON.parse(whole.toString('utf8', 8, end)) as Record<
      string,
      { shape: number[]; data_offsets: [number, number] }
    >
    const more = (vocabulary - 4096) * 256 * 2
    for (const [name, { shape, data_offsets: offsets }] of Object.entries(header)) {
      if (name === 'model.embed_tokens.weight') shape[0] = vocabulary
      if (name !== '__metadata__') offsets[1] += more
      if (name !== '__metadata__' && offsets[0] > 0) offsets[0] += more
    }
    const json = Buffer.from(JSON.stringify(header))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(json.length))
    const head = Buffer.concat([length, json, Buffer.alloc(HEAD)]).subarray(0, HEAD)
    const size = 8 + json.length + SIZE - end + more
    const config = JSON.parse(readFileSync(join(TALES, 'config.json'), 'utf8'))
    const server = await serve({
      folders: { latentkit: BUILT, large: TALES },
      intercept: ({ method, url, headers }, response) => {
        if (url === '/large/config.json') response.end(JSON.stringify({ ...config, vocab_size: vocabulary }))
        else if (url !== `/large/${WEIGHTS}`) return false
        else if (method === 'HEAD') response.writeHead(200, { 'content-length': size }).end()
        else if (headers.range === `bytes=0-${HEAD - 1}`) {
          response.writeHead(206, { 'content-length': HEAD, 'content-range': `bytes 0-${HEAD - 1}/${size}` }).end(head)
        } else response.writeHead(500).end()
        return true
      },
    })
    const { error } = await load(await openPage(server), '/large/', { weights: 'f32' })
    expect(error?.message).toMatch(/^The weights take 15\.\d GiB; WebAssembly's memory ends at 16 GiB\./)
    expect(error?.code).toBe('out_of_memory')
    expect(starts(server.requests)).toEqual([])
  })

  it('picked folders and files load, a GGUF file as in Node', async () => {
    const gguf = join(tempFolder(), 'tales-q8.gguf')
    await convertModel(TALES, gguf, { weights: 'q8_0' })
    const inNode = await Engine.load(gguf, {
      kernels: 'wasm',
      isa: 'simd128',
      threads: 1,
      cacheType: 'f32',
      inline: true,
    })
    const { text } = await inNode.generate(PROMPT, { maxTokens: 16, temperature: 0, ignoreEos: true })
    await inNode.dispose()
    const page = await openPage(await serve({ isolated: false }))
    await page.setContent('<input id="files" type="file" multiple><input id="folder" type="file" webkitdirectory>')
    const write = (id: string) =>
      page.evaluate(
        async ({ id, prompt }) => {
          type Input = { readonly files: Iterable<Blob> }
          const { document } = globalThis as unknown as { document: { getElementById(id: string): Input } }
          const { Engine } = latentkit
          const engine = await Engine.load(document.getElementById(id).files, { cacheType: 'f32', isa: 'simd128' })
          const { text } = await engine.generate(prompt, { maxTokens: 16, temperature: 0, ignoreEos: true })
          await engine.dispose()
          return { text, name: engine.info.name }
        },
        { id, prompt: PROMPT },
      )
    await page.locator('#files').setInputFiles(gguf)
    expect(await write('files')).toEqual({ text, name: 'tales-q8.gguf' })
    await page.locator('#folder').setInputFiles(TALES)
    const folder = await write('folder')
    expect(folder.name).toBe('tales-mla-8m')
    expect(GREEDY.startsWith(folder.text)).toBe(true)
  })
})
