import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { downloadModel } from '../../src/checkpoint/hub/download-model.ts'
import { HubError } from '../../src/checkpoint/hub/hub-error.ts'
import { CheckpointError, UnsupportedModelError } from '../../src/errors.ts'
import { refuse, sha256 } from '../support/fake-hub.ts'
import { failure, isStore, name, setUp, single, WEIGHTS } from '../support/hub-setup.ts'

describe('a server', () => {
  it('that ignores ranges is taken from the start', async () => {
    const { options, data, begin } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path)) return false
      response.writeHead(200, { 'content-length': body.length }).end(body)
      return true
    })
    begin(data.subarray(0, 1000))
    expect(readFileSync(join(await downloadModel(name, options), WEIGHTS)).equals(data)).toBe(true)
  })

  it.each([
    ['refuses a range', 416, {}],
    ['sends another range', 206, { 'content-range': 'bytes 5-9/10' }],
    ['sends a range of nothing', 206, {}],
  ])('that %s is asked from the start', async (_, status, headers) => {
    const { options, data, begin } = await setUp(single(), (request, response) => {
      if (!isStore(request.path) || request.range === undefined) return false
      response.writeHead(status, headers).end('hello')
      return true
    })
    begin(data.subarray(0, 1000))
    expect(readFileSync(join(await downloadModel(name, options), WEIGHTS)).equals(data)).toBe(true)
  })

  it.each([429, 500, 503, 403])('that answers %i for a while is asked again', async status => {
    let refusals = 2
    const { options, data } = await setUp(single(), (request, response) => {
      if (!isStore(request.path) || refusals-- <= 0) return false
      response.writeHead(status, { 'retry-after': '0' }).end()
      return true
    })
    expect(readFileSync(join(await downloadModel(name, options), WEIGHTS)).equals(data)).toBe(true)
  })

  it('that says when to come back is obeyed', async () => {
    let first = true
    const { options } = await setUp(single(), (request, response) => {
      if (!request.path.startsWith('/api/') || !first) return false
      first = false
      response.writeHead(429, { 'retry-after': '1' }).end()
      return true
    })
    const start = performance.now()
    await downloadModel(name, options)
    expect(performance.now() - start).toBeGreaterThan(950)
  })

  it('that asks to come back much later is obeyed at once, by a sentence', async () => {
    const { options } = await setUp(single(), (request, response) => {
      if (!request.path.startsWith('/api/')) return false
      response.writeHead(429, { ratelimit: '"api";r=0;t=3600' }).end()
      return true
    })
    const start = performance.now()
    const error = await failure(downloadModel(name, { ...options, token: '' }))
    expect(error.code).toBe('download_failed')
    expect(error.message).toMatch(/ answered 429 and asks to come back in 60 minutes; .* or give a token \(HF_TOKEN\)$/)
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('that answers 429 again and again is left with advice', async () => {
    const { options } = await setUp(single(), (request, response) => {
      if (!request.path.startsWith('/api/')) return false
      response.writeHead(429).end()
      return true
    })
    const error = await failure(downloadModel(name, { ...options, token: '' }))
    expect(error.message).toMatch(/failed after 4 attempts: .* answered 429\. What has come is kept; .*HF_TOKEN/)
  })

  test.each<[string, number, string, string, string]>([
    ['/api/', 401, 'RepoNotFound', 'model_not_found', 'check the name and the token'],
    ['/api/', 404, 'RevisionNotFound', 'model_not_found', 'RevisionNotFound'],
    ['/resolve/', 401, 'GatedRepo', 'hub_access_denied', "accept the model's conditions"],
    ['/resolve/', 403, 'GatedRepo', 'hub_access_denied', "accept the model's conditions"],
    ['/resolve/', 404, 'EntryNotFound', 'model_not_found', 'EntryNotFound'],
    ['/resolve/', 400, 'Odd', 'download_failed', 'answered 400 (the fake hub says Odd)'],
  ])('that refuses %s with %i %s is not asked again', async (part, status, code, expected, message) => {
    const { hub, options } = await setUp(single(), (request, response) => {
      if (!request.path.includes(part)) return false
      refuse(response, status, code)
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error).toBeInstanceOf(HubError)
    expect(error.code).toBe(expected)
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('hf_secret')
    expect(hub.requests.filter(r => r.path.includes(part)).length).toBeLessThan(9)
  })

  test.each<[string, (path: string) => boolean, Record<string, string | number>, string]>([
    ['a web page', p => p.startsWith('/api/'), {}, 'did not answer like a hub'],
    ['no checksum', p => p.includes('/resolve/'), { 'content-length': 5 }, 'has ETag "", size 5; expected a SHA-1'],
    ['a checksum with a path', p => p.includes('/resolve/'), { etag: '"../../x"' }, 'has ETag "../../x"'],
    [
      'no size',
      p => p.includes('/resolve/'),
      { etag: `"${'a'.repeat(40)}"`, 'transfer-encoding': 'chunked' },
      'size NaN',
    ],
  ])('that sends %s is not believed', async (_, matches, headers, message) => {
    const { options } = await setUp(single(), (request, response) => {
      if (!matches(request.path)) return false
      response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : '<html>')
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error.code).toBe('download_failed')
    expect(error.message).toContain(message)
  })

  it.each([
    ['in a circle', '/again', 'redirects more than 10 times'],
    ['to nonsense', 'http://', 'redirects to "http://"'],
    ['to another protocol', 'file:///etc/passwd', 'redirects to file://; refused'],
  ])('that redirects %s is left', async (_, location, message) => {
    const { options } = await setUp(single(), (request, response) => {
      if (request.path.startsWith('/api/')) return false
      response.writeHead(302, { location }).end()
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error.code).toBe('download_failed')
    expect(error.message).toContain(message)
  })

  it('cannot lead from https to http', async () => {
    const { options } = await setUp()
    const redirect = new Response(null, { status: 302, headers: { location: 'http://elsewhere/x' } })
    const fetch = async () => redirect
    const error = await failure(downloadModel(name, { ...options, endpoint: 'https://hub.test', fetch }))
    expect(error.message).toBe('hub.test redirects to http://elsewhere; refused')
  })

  it('that lists files elsewhere is not followed there', async () => {
    const { hub, options, repo } = await setUp()
    hub.listed = [
      ...hub.listed,
      '../../evil.json',
      'tokenizer/../../x.json',
      '/etc/tokenizer.json',
      '..',
      'a/config.json',
    ]
    const folder = await downloadModel(name, options)
    expect(readdirSync(folder)).toHaveLength(5)
    expect(readdirSync(repo).sort()).toEqual(['blobs', 'refs', 'snapshots'])
  })
})

describe('a model that latentkit cannot read', () => {
  test.each<
    [string, Record<string, string>, typeof UnsupportedModelError | typeof CheckpointError | typeof HubError, string]
  >([
    ['no config', { [WEIGHTS]: 'x' }, UnsupportedModelError, 'org/tiny has no config.json'],
    [
      'other weights',
      { 'config.json': '{}', 'pytorch_model.bin': 'x', 'a.onnx': 'x' },
      UnsupportedModelError,
      'org/tiny has pytorch_model.bin, a.onnx; expected model.safetensors, model.safetensors.index.json with its shards, or GGUF',
    ],
    [
      'index that leads out',
      { 'config.json': '{}', 'model.safetensors.index.json': '{"weight_map":{"a":"../x.safetensors"}}' },
      CheckpointError,
      'tensor "a" is said to be in "../x.safetensors"',
    ],
    [
      'index of absent shards',
      { 'config.json': '{}', 'model.safetensors.index.json': '{"weight_map":{"a":"x.safetensors"}}' },
      HubError,
      'org/tiny has no x.safetensors, which its model.safetensors.index.json names',
    ],
  ])('%s', async (_, files, type, message) => {
    const { options } = await setUp(files)
    const error = await failure(downloadModel(name, options))
    expect(error).toBeInstanceOf(type)
    expect(error.message).toContain(message)
  })
})

describe('a disk', () => {
  it('that is too small is seen before the download', async () => {
    const { hub, options } = await setUp(single(), (request, response, body) => {
      if (!request.path.includes('/resolve/') || !request.path.endsWith(WEIGHTS)) return false
      response.setHeader('x-linked-etag', sha256(body))
      response.writeHead(200, { 'x-linked-size': 9e15 }).end()
      return true
    })
    const error = await failure(downloadModel(name, options))
    expect(error.code).toBe('disk_full')
    expect(error.message).toMatch(/the download needs 9000000\.000 GB, but only [\d.]+ GB are free; make room/)
    expect(hub.asked('store', 'GET')).toEqual([])
  })

  it.skipIf(!existsSync('/dev/full'))('that fills up on the way is named', async () => {
    const { options, incomplete, repo } = await setUp()
    mkdirSync(join(repo, 'blobs'), { recursive: true })
    symlinkSync('/dev/full', incomplete)
    const error = await failure(downloadModel(name, options))
    expect(error.code).toBe('disk_full')
    expect(error.message).toBe(
      `${incomplete} cannot be written: the disk is full; make room and try again: what was downloaded is kept`,
    )
  })

  it('that may not be written is named', async () => {
    const { options } = await setUp()
    const file = join(options.cacheDir, 'file')
    writeFileSync(file, '')
    const error = await failure(downloadModel(name, { ...options, cacheDir: file }))
    expect(error.code).toBe('cache_not_writable')
    expect(error.message).toContain('choose another cache folder')
    symlinkSync('round', join(options.cacheDir, 'round'))
    const nowhere = [join(options.cacheDir, 'round'), join(options.cacheDir, 'n'.repeat(300))]
    if (process.platform === 'linux') nowhere.push('/proc/none')
    for (const cacheDir of nowhere) {
      const refused = await failure(downloadModel(name, { ...options, cacheDir }))
      expect(refused.code).toBe('cache_not_writable')
      expect(refused.message).toContain('choose another cache folder')
    }
    if (process.getuid?.() !== 0) {
      chmodSync(options.cacheDir, 0o500)
      expect((await failure(downloadModel(name, options))).code).toBe('cache_not_writable')
      chmodSync(options.cacheDir, 0o700)
    }
  })
})
