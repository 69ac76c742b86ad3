import { lstatSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { resolveModel } from '../../src/checkpoint/find/resolve-model.ts'
import { CheckpointError } from '../../src/errors.ts'
import { COMMIT, sha256 } from '../support/fake-hub.ts'
import { writeGguf } from '../support/gguf-writer.ts'
import { failure, REPO, setUp, WEIGHTS } from '../support/hub-setup.ts'
import { openFolder } from '../support/open-folder.ts'
import { writeSafetensors } from '../support/safetensors-writer.ts'
import { tempFolder } from '../support/temp-folder.ts'

describe('resolveModel', () => {
  it('takes a folder as it is, even one with a name like a model', async () => {
    const { hub, options } = await setUp()
    const folder = tempFolder({ 'a/b': '' })
    expect(await resolveModel(folder, options)).toBe(folder)
    expect(hub.requests).toEqual([])
  })

  it('downloads a name once and then needs no network', async () => {
    const { hub, options } = await setUp()
    const folder = await resolveModel('org/tiny', options)
    const count = hub.requests.length
    expect(await resolveModel('org/tiny', options)).toBe(folder)
    expect(await resolveModel('org/tiny@main', { ...options, offline: true })).toBe(folder)
    expect(await resolveModel(`org/tiny@${COMMIT}`, { ...options, offline: true })).toBe(folder)
    expect(hub.requests).toHaveLength(count)
  })

  it('completes what another program left incomplete', async () => {
    const { options, repo, data } = await setUp()
    const folder = await resolveModel('org/tiny', options)
    rmSync(join(repo, 'blobs', sha256(data)))
    expect(lstatSync(join(folder, WEIGHTS)).isSymbolicLink()).toBe(true)
    const error = await failure(resolveModel('org/tiny', { ...options, offline: true }))
    expect(error.message).toContain(`(${join(folder, WEIGHTS)} is not there), and the network is not to be used`)
    expect(await resolveModel('org/tiny', options)).toBe(folder)
    expect(readFileSync(join(folder, WEIGHTS)).equals(data)).toBe(true)
  })

  it('says what was looked for and where', async () => {
    const { options } = await setUp()
    const offline = await failure(resolveModel('org/tiny', { ...options, offline: true }))
    expect(offline.code).toBe('model_not_found')
    expect(offline.message).toContain(
      `org/tiny@main is neither a folder here nor complete in the cache ${options.cacheDir}`,
    )
    expect(offline.message).toContain(join(options.cacheDir, REPO, 'refs/main'))
    const unknown = await failure(resolveModel('org/other', options))
    expect(unknown.code).toBe('model_not_found')
    expect(unknown.message).toContain(`nor on ${options.endpoint}: `)
    expect(unknown.message).toContain('RepoNotFound')
    const path = await failure(resolveModel('./no/such/folder', options))
    expect(path).toBeInstanceOf(CheckpointError)
    expect(path.message).toBe('./no/such/folder is not there; expected a folder with config.json and model.safetensors')
    const word = await failure(resolveModel('llama', options))
    expect(word).toBeInstanceOf(CheckpointError)
    expect(word.message).toContain('"llama" is neither a folder here nor a model name')
    const gguf = await failure(resolveModel('org/model.Q4_K.gguf', options))
    expect(gguf).toBeInstanceOf(CheckpointError)
    expect(gguf.message).toBe('org/model.Q4_K.gguf is not there; expected a GGUF file')
    const there = join(tempFolder({ 'm.gguf': '' }), 'm.gguf')
    expect(await resolveModel(there, options)).toBe(there)
    const file = join(tempFolder({ 'config.json': '{}' }), 'config.json')
    expect((await failure(resolveModel(file, options))).message).toMatch(
      /config.json is a file; give the folder that holds config.json, such as .*, or a GGUF or safetensors file$/,
    )
  })

  it('says at once that a path is not there, without the network', async () => {
    const { hub, options } = await setUp()
    const folder = tempFolder({ 'org/other/config.json': '{}' })
    const here = process.cwd()
    process.chdir(folder)
    try {
      for (const path of [
        'org/tiny',
        'models/tales',
        'a/b/c',
        './x',
        '../x',
        '~/x',
        'x/',
        'C:\\x',
        'org/x.safetensors',
      ]) {
        const error = await failure(resolveModel(path, options))
        expect(error).toBeInstanceOf(CheckpointError)
        expect(error.message).toMatch(/^There is no folder |is not there; expected a/)
        expect(error.message).toContain(path)
      }
      expect((await failure(resolveModel('org/tiny', options))).message).toContain('on the hub is org/tiny@main')
      const bundled = await failure(resolveModel('models/tales-mla-8m', options))
      expect(bundled.message).toContain('the model that comes with latentkit is called tales-mla-8m')
      expect(hub.requests).toEqual([])
      await resolveModel('org/tiny@main', options)
      // Once it is in the cache the short name is enough.
      expect(await resolveModel('org/tiny', options)).toContain(REPO)
    } finally {
      process.chdir(here)
    }
  })

  it('gives up soon where there is no network', async () => {
    const { options } = await setUp()
    const start = Date.now()
    const unreachable = { ...options, endpoint: 'http://127.0.0.1:1', retries: 5, retryDelay: 500 }
    const error = await failure(resolveModel('org/tiny', unreachable))
    expect(error.code).toBe('hub_unreachable')
    expect(error.message).toMatch(/^org\/tiny@main is neither a folder here nor complete in the cache .*, and http/)
    expect(error.message).toContain('127.0.0.1:1 cannot be reached')
    expect(Date.now() - start).toBeLessThan(5000)
  })

  it('names links that go in a circle, and what is no file', async () => {
    const { options } = await setUp()
    const folder = tempFolder()
    symlinkSync(join(folder, 'b'), join(folder, 'a'))
    symlinkSync(join(folder, 'a'), join(folder, 'b'))
    const error = await failure(resolveModel(join(folder, 'a'), options))
    expect(error).toBeInstanceOf(CheckpointError)
    expect(error.message).toContain('links go round in a circle (ELOOP)')
    expect((await failure(resolveModel('/dev/null', options))).message).toContain('is neither a file nor a folder')
  })

  it('knows the bundled model by its name', async () => {
    const { options } = await setUp()
    expect(await resolveModel('tales-mla-8m', options)).toBe(bundledModel())
    expect(readFileSync(join(bundledModel(), 'config.json'), 'utf8')).toContain('kv_lora_rank')
  })
})

describe('a file is known by its bytes', () => {
  const gguf = writeGguf({ metadata: { 'general.architecture': ['string', 'clip'] } })
  const weights = writeSafetensors({ 'model.norm.weight': { dtype: 'F32', shape: [2] } })

  it('GGUF under any name: opened by path, or as the only model of a folder', async () => {
    const { options } = await setUp()
    const blob = `sha256-${'0a'.repeat(32)}`
    const folder = tempFolder({ [blob]: gguf, 'x.bin': gguf, README: 'text', LICENSE: '' })
    for (const path of [join(folder, blob), join(folder, 'x.bin'), folder]) {
      expect(await resolveModel(path, options)).toBe(path)
      await expect(openFolder(path)).rejects.toThrow(/"clip"/)
    }
    const two = tempFolder({ [blob]: gguf, [`sha256-${'0b'.repeat(32)}`]: gguf })
    await expect(openFolder(two)).rejects.toThrow('holds several GGUF models: "sha256-0a')
  })

  it('safetensors beside their config.json', async () => {
    const { options } = await setUp()
    const folder = tempFolder({ 'config.json': '{}', 'm.safetensors': weights, w: weights, 'other.safetensors': 'x' })
    for (const name of ['m.safetensors', 'w']) {
      const path = await resolveModel(join(folder, name), options)
      const c = await openFolder(path)
      expect([...c.tensors.keys()]).toEqual(['model.norm.weight'])
      expect(c.configFile).toBe(join(folder, 'config.json'))
    }
    const alone = join(tempFolder({ 'm.safetensors': weights }), 'm.safetensors')
    await expect(openFolder(alone)).rejects.toThrow('has no config.json beside it')
    const shards = {
      'model-00001-of-00002.safetensors': weights,
      'model-00002-of-00002.safetensors': writeSafetensors({}),
    }
    const set = join(tempFolder({ 'config.json': '{}', ...shards }), 'model-00002-of-00002.safetensors')
    expect((await openFolder(await resolveModel(set, options))).tensors.size).toBe(1)
  })

  it("Ollama's manifests", async () => {
    const { options } = await setUp()
    const digest = 'ab'.repeat(32)
    const layers = [
      { mediaType: 'application/vnd.ollama.image.projector', digest: `sha256:${'cd'.repeat(32)}` },
      { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}` },
    ]
    const manifest = 'manifests/registry.ollama.ai/library/tales/latest'
    const folder = tempFolder({ [manifest]: JSON.stringify({ layers }), [`blobs/sha256-${digest}`]: gguf })
    expect(await resolveModel(join(folder, manifest), options)).toBe(join(folder, 'blobs', `sha256-${digest}`))
    const gone = tempFolder({ [manifest]: JSON.stringify({ layers }) })
    await expect(resolveModel(join(gone, manifest), options)).rejects.toThrow('is not there; pull it again with Ollama')
  })
})
