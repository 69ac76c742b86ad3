import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { downloadModel } from '../../src/checkpoint/hub/download-model.ts'
import { HubError } from '../../src/checkpoint/hub/hub-error.ts'
import { OptionError } from '../../src/errors.ts'
import { COMMIT, gitSha1, sha256 } from '../support/fake-hub.ts'
import { failure, isStore, name, setUp, single, WEIGHTS, weights } from '../support/hub-setup.ts'
import { openFolder } from '../support/open-folder.ts'

describe('a download', () => {
  it('fills the cache in the hub’s layout with what a model needs', async () => {
    const { hub, options, repo, events } = await setUp()
    const folder = await downloadModel(name, options)
    expect(folder).toBe(join(repo, 'snapshots', COMMIT))
    const card = 'README.md'
    expect(readdirSync(folder).sort()).toEqual([card, 'chat_template.jinja', 'config.json', WEIGHTS, 'tokenizer.json'])
    for (const file of readdirSync(folder)) {
      const data = hub.files.get(file) as Buffer
      const blob = file === WEIGHTS ? sha256(data) : gitSha1(data)
      expect(readlinkSync(join(folder, file))).toBe(join('../../blobs', blob))
      expect(readFileSync(join(folder, file)).equals(data)).toBe(true)
    }
    expect(readFileSync(join(repo, 'refs/main'), 'utf8')).toBe(COMMIT)
    expect(readdirSync(join(repo, 'blobs')).every(blob => /^[0-9a-f]{40,64}$/.test(blob))).toBe(true)
    expect((await openFolder(folder)).tensors.get('w')?.shape).toEqual([1 << 20])

    const loaded = events.filter(e => e.file === WEIGHTS).map(e => e.loaded)
    const size = hub.files.get(WEIGHTS)?.length
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b))
    expect(events.filter(e => e.file === WEIGHTS).at(-1)).toEqual({
      status: 'download',
      file: WEIGHTS,
      loaded: size,
      total: size,
    })
    expect(events[0]).toEqual({ status: 'resolve', file: 'org/tiny', loaded: 0, total: 0 })
  })

  it('sends the token to the hub and to nobody else', async () => {
    const { hub, options } = await setUp()
    await downloadModel(name, options)
    expect(hub.requests.filter(r => r.server === 'hub').every(r => r.token === 'Bearer hf_secret')).toBe(true)
    const store = hub.requests.filter(r => r.server === 'store')
    expect(store).toHaveLength(1)
    expect(store[0]?.token).toBeUndefined()
  })

  it('fetches nothing twice, not even for another revision', async () => {
    const { hub, options, repo } = await setUp()
    const folder = await downloadModel(name, options)
    const before = hub.asked('store', 'GET').length
    expect(await downloadModel({ id: name.id, revision: 'refs/pr/1' }, options)).toBe(folder)
    expect(hub.asked('store', 'GET')).toHaveLength(before)
    expect(readFileSync(join(repo, 'refs/refs/pr/1'), 'utf8')).toBe(COMMIT)
  })

  it('of shards takes those that the index names', async () => {
    const A = 'model-00001-of-00002.safetensors'
    const B = 'model-00002-of-00002.safetensors'
    const index = JSON.stringify({ weight_map: { a: A, b: B } })
    const files = { 'config.json': '{}', 'model.safetensors.index.json': index, [A]: weights('a'), [B]: weights('b') }
    const { options } = await setUp({ ...files, 'consolidated.safetensors': weights('c') })
    const folder = await downloadModel(name, options)
    expect(readdirSync(folder).sort()).toEqual(['config.json', A, B, 'model.safetensors.index.json'])
    expect((await openFolder(folder)).tensors.size).toBe(2)
  })

  it('by two at once fetches each file once', async () => {
    const { hub, options } = await setUp()
    const folders = await Promise.all([1, 2, 3].map(() => downloadModel(name, options)))
    expect(new Set(folders).size).toBe(1)
    expect(hub.asked('store', 'GET')).toHaveLength(1)
  })
})

it('leaves out shards that the index names and the hub does not have: the model may not need them', async () => {
  const index = '{"weight_map":{"a":"a.safetensors","mtp":"b.safetensors"}}'
  const files = { 'config.json': '{}', 'model.safetensors.index.json': index, 'a.safetensors': weights('a', 64) }
  const { options } = await setUp(files)
  const folder = await downloadModel(name, options)
  expect(readdirSync(folder).sort()).toEqual(['a.safetensors', 'config.json', 'model.safetensors.index.json'])
})

describe('a broken connection', () => {
  it('is taken up where it broke', async () => {
    let cuts = 0
    const { hub, options } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path) || cuts === 4) return false
      cuts++
      const start = Number(/\d+/.exec(request.range ?? '')?.[0] ?? 0)
      response.writeHead(start ? 206 : 200, {
        'content-length': body.length - start,
        ...(start && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
      })
      response.write(body.subarray(start, start + 100_000), () => setTimeout(() => response.destroy(), 20))
      return true
    })
    const folder = await downloadModel(name, options)
    expect(readFileSync(join(folder, WEIGHTS)).equals(hub.files.get(WEIGHTS) as Buffer)).toBe(true)
    const starts = hub.requests.filter(r => r.server === 'store').map(r => Number(/\d+/.exec(r.range ?? '0')?.[0]))
    expect(starts).toHaveLength(5)
    expect(starts[0]).toBe(0)
    for (let i = 1; i < 5; i++) expect(starts[i]).toBeGreaterThan(starts[i - 1] as number)
  })

  it('that never holds ends in an error; what came is kept for the next call', async () => {
    const { hub, options, incomplete, data } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path)) return false
      if (request.range !== undefined) response.destroy()
      else {
        response.writeHead(200, { 'content-length': body.length })
        response.write(body.subarray(0, 200_000), () => setTimeout(() => response.destroy(), 20))
      }
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error).toBeInstanceOf(HubError)
    expect(error.code).toBe('download_failed')
    expect(error.message).toMatch(/^downloading model\.safetensors from http.* failed after 4 attempts: .*is kept/)
    const kept = statSync(incomplete).size
    expect(kept).toBeGreaterThan(0)
    hub.fault = () => false
    const folder = await downloadModel(name, options)
    expect(hub.requests.at(-1)?.range).toBe(`bytes=${kept}-`)
    expect(readFileSync(join(folder, WEIGHTS)).equals(data)).toBe(true)
  })

  it('that ends too early without saying so is seen', async () => {
    let first = true
    const { options, data } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path) || !first) return false
      first = false
      response.writeHead(200).end(body.subarray(0, 1000))
      return true
    })
    const folder = await downloadModel(name, options)
    expect(readFileSync(join(folder, WEIGHTS)).equals(data)).toBe(true)
  })

  it('that stalls is given up and taken up again', async () => {
    let first = true
    const { hub, options, data } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path) || !first) return false
      first = false
      response.writeHead(200, { 'content-length': body.length })
      response.write(body.subarray(0, 300_000))
      return true
    })
    const folder = await downloadModel(name, { ...options, stallTimeout: 1000 })
    expect(readFileSync(join(folder, WEIGHTS)).equals(data)).toBe(true)
    expect(hub.requests.at(-1)?.range).toMatch(/^bytes=\d+-$/)
  })

  it('stops at once when aborted, keeping what came', async () => {
    const abort = new AbortController()
    const { options, incomplete } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path)) return false
      response.writeHead(200, { 'content-length': body.length })
      response.write(body.subarray(0, 300_000), () => setTimeout(() => abort.abort(new Error('enough')), 50))
      return true
    })
    const error = await failure(downloadModel(name, { ...options, signal: abort.signal }))
    expect(error.message).toBe('enough')
    expect(statSync(incomplete).size).toBeGreaterThan(0)
    expect((await failure(downloadModel(name, { ...options, signal: AbortSignal.abort() }))).name).toBe('AbortError')
  })

  it('to nowhere says so', async () => {
    const { options } = await setUp()
    const error = await failure(downloadModel(name, { ...options, endpoint: 'http://127.0.0.1:1', retries: 1 }))
    expect(error.code).toBe('hub_unreachable')
    expect(error.message).toContain('http://127.0.0.1:1 cannot be reached (')
    expect(error.message).toMatch(/ECONNREFUSED|bad port/)
    const odd = await failure(downloadModel(name, { ...options, endpoint: 'huggingface.co' }))
    expect(odd).toBeInstanceOf(OptionError)
  })
})

describe('bytes that are not the announced ones', () => {
  it('never get into the cache', async () => {
    const { options, repo, incomplete } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path)) return false
      const wrong = Buffer.from(body)
      wrong[500_000] = (wrong[500_000] as number) ^ 1
      response.writeHead(200, { 'content-length': wrong.length }).end(wrong)
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error.code).toBe('download_corrupt')
    expect(error.message).toMatch(/sha256 is [0-9a-f]{64}; expected [0-9a-f]{64}; removed/)
    expect(existsSync(incomplete)).toBe(false)
    expect(existsSync(join(repo, 'snapshots', COMMIT, WEIGHTS))).toBe(false)
    expect(existsSync(join(repo, 'refs/main'))).toBe(false)
  })

  it('are seen in small files too (SHA-1 of the git object)', async () => {
    const { options } = await setUp(single(), (request, response) => {
      if (request.method !== 'GET' || !request.path.endsWith('config.json')) return false
      response.end('{"model_type":"lies!"}')
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error.code).toBe('download_corrupt')
    expect(error.message).toContain('sha1 is')
  })

  it.each([
    ['bytes of something else', (data: Buffer) => Buffer.alloc(data.length / 2, 7)],
    ['all bytes, one of them wrong', (data: Buffer) => Buffer.from(data).fill(7, 1000, 1001)],
    ['more bytes than the file has', (data: Buffer) => Buffer.concat([data, data])],
  ])('in a half that was there are thrown away: %s', async (_, make) => {
    const { options, data, begin } = await setUp()
    begin(make(data))
    const folder = await downloadModel(name, options)
    expect(readFileSync(join(folder, WEIGHTS)).equals(data)).toBe(true)
  })

  it('beyond the announced size are refused while they come', async () => {
    let sent = 0
    const { options } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path)) return false
      response.writeHead(200)
      const pour = () => {
        while (!response.destroyed && sent < 1e9) {
          sent += body.length
          if (!response.write(body)) return void response.once('drain', pour)
        }
      }
      response.on('error', () => {})
      pour()
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error.message).toContain('more than the announced')
    expect(sent).toBeLessThan(100e6)
  })
})
