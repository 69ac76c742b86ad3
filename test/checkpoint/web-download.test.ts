/** Models that a browser keeps: what is loaded is one version of all files, whatever came between. */
import { afterEach, expect, it, vi } from 'vitest'
import { findWebModel } from '../../src/checkpoint/web/find-web-model.ts'
import { Disk } from '../support/opfs-disk.ts'

const SIZE = 700_000
const WEIGHTS = 'model.safetensors'

/** A server whose files are of one version each, and which may break a connection. */
class Site {
  version = 'a'
  /** Bytes of the weights after which connections break. */
  breaksAfter = Number.POSITIVE_INFINITY

  #bytesOf(name: string): Uint8Array<ArrayBuffer> | undefined {
    if (name === WEIGHTS) return new Uint8Array(SIZE).fill(this.version.charCodeAt(0))
    if (name !== 'config.json') return undefined
    return new TextEncoder().encode(JSON.stringify({ version: this.version }))
  }

  readonly fetch = async (url: string, { method = 'GET', headers = {} }: Asked): Promise<Response> => {
    const name = url.slice(url.lastIndexOf('/') + 1)
    const whole = this.#bytesOf(name)
    if (!whole) return new Response('', { status: 404 })
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
    const [start, end] = [Number(from ?? 0), to ? Math.min(Number(to) + 1, whole.length) : whole.length]
    const given = {
      etag: `"${this.version}"`,
      'content-length': String(end - start),
      ...(from !== undefined && { 'content-range': `bytes ${start}-${end - 1}/${whole.length}` }),
    }
    const status = from === undefined ? 200 : 206
    if (method === 'HEAD') return new Response(null, { status: 200, headers: given })
    const cut = name === WEIGHTS && end > this.breaksAfter
    const body = new ReadableStream<Uint8Array>({
      start: sink => {
        sink.enqueue(whole.slice(start, cut ? Math.max(start, this.breaksAfter) : end))
        if (cut) sink.error(new Error('the connection broke'))
        else sink.close()
      },
    })
    return new Response(body, { status, headers: given })
  }
}

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

function begin() {
  const [site, disk] = [new Site(), new Disk()]
  vi.stubGlobal('fetch', site.fetch)
  vi.stubGlobal('navigator', { storage: disk.storage })
  const notices: string[] = []
  const find = async (options: { readonly offline?: boolean } = {}) => {
    const files = await findWebModel('https://models.test/m/', {
      base: 'https://page.test/',
      keep: true,
      signal: new AbortController().signal,
      retries: 0,
      report: () => {},
      notice: text => notices.push(text),
      beforeWeights: async () => {},
      byHeaders: async () => {},
      converts: false,
      addressable: 2 ** 32,
      ...options,
    })
    const [config, weights] = await Promise.all(['config.json', WEIGHTS].map(name => files.open(name)))
    const text = new TextDecoder().decode(await config!.read(0, config!.size))
    const bytes = await weights!.read(0, SIZE)
    return { config: JSON.parse(text) as unknown, weights: [...new Set(bytes)].map(one => String.fromCharCode(one)) }
  }
  return { site, disk, notices, find }
}

const ALL = (version: string) => ({ config: { version }, weights: [version] })

afterEach(() => vi.unstubAllGlobals())

it('files of two versions are not taken for one model when a download goes on later', async () => {
  const { site, find } = begin()
  site.breaksAfter = 500_000
  await expect(find()).rejects.toMatchObject({ code: 'download_failed' })
  site.breaksAfter = Number.POSITIVE_INFINITY
  site.version = 'b'
  expect(await find()).toEqual(ALL('b'))
  expect(await find({ offline: true })).toEqual(ALL('b'))
})

it('a file that a worker which has ended holds for a moment is waited for, one that stays held is not kept', async () => {
  const { disk, notices, find } = begin()
  let asked = 0
  disk.held = file => file.endsWith('.data') && ++asked < 3
  expect(await find()).toEqual(ALL('a'))
  expect(await find({ offline: true })).toEqual(ALL('a'))
  expect({ asked: asked > 2, notices }).toEqual({ asked: true, notices: [] })
  disk.files.clear()
  disk.held = file => file.endsWith('.data')
  expect(await find()).toEqual(ALL('a'))
  expect(notices).toEqual(['https://models.test/m/ is not kept for the next time: another worker has its files open'])
})

it('a model that is kept stays so where nothing more can be written', async () => {
  const { disk, find } = begin()
  await find()
  disk.full = true
  expect(await find()).toEqual(ALL('a'))
  vi.stubGlobal('fetch', () => Promise.reject(new Error('there is no network')))
  expect(await find({ offline: true })).toEqual(ALL('a'))
})
