import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveModel } from '../../src/checkpoint/find/resolve-model.ts'
import { downloadModel } from '../../src/checkpoint/hub/download-model.ts'
import { folderStore } from '../../src/checkpoint/store/folder-store.ts'
import { hubStore } from '../../src/checkpoint/store/hub-store.ts'
import type { StoredModel } from '../../src/checkpoint/store/model-store.ts'
import { openStore } from '../../src/checkpoint/store/open-store.ts'
import { COMMIT, refuse } from '../support/fake-hub.ts'
import { writeGguf } from '../support/gguf-writer.ts'
import { failure, isStore, name, setUp, single, weights } from '../support/hub-setup.ts'
import { tempFolder } from '../support/temp-folder.ts'

const gguf = (architecture: string, bytes = 0) =>
  Buffer.concat([writeGguf({ metadata: { 'general.architecture': ['string', architecture] } }), Buffer.alloc(bytes, 1)])

/** One repository with three models: safetensors, one GGUF file, and a set of two in a folder. */
const ALL = {
  ...single(),
  'm-Q4_K_M.gguf': gguf('deepseek2', 1000),
  'Q8_0/m-Q8_0-00001-of-00002.gguf': gguf('deepseek2', 3000),
  'Q8_0/m-Q8_0-00002-of-00002.gguf': gguf('deepseek2', 2000),
}
const q4 = { ...name, file: 'Q4_K_M' }
const q8 = { ...name, file: 'q8_0' }

describe('GGUF models of the hub', () => {
  it('are downloaded whole, and nothing else', async () => {
    const { options, hub, repo } = await setUp(ALL)
    const path = await downloadModel(q8, options)
    expect(path).toBe(join(repo, 'snapshots', COMMIT, 'Q8_0/m-Q8_0-00001-of-00002.gguf'))
    expect(readFileSync(path).equals(ALL['Q8_0/m-Q8_0-00001-of-00002.gguf'])).toBe(true)
    expect(hub.asked('store', 'GET').sort()).toEqual([
      '/store/Q8_0/m-Q8_0-00001-of-00002.gguf',
      '/store/Q8_0/m-Q8_0-00002-of-00002.gguf',
    ])
  })

  it('are then found by every name, without network', async () => {
    const { options, repo } = await setUp(ALL)
    const path = await downloadModel(q4, options)
    const offline = { ...options, offline: true }
    for (const source of [
      'org/tiny:Q4_K_M',
      'org/tiny:q4_k_m',
      'org/tiny:m-Q4_K_M.gguf',
      'hf.co/org/tiny:Q4_K_M',
      'org/tiny',
    ]) {
      expect(await resolveModel(source, offline)).toBe(path)
    }
    const missing = await failure(resolveModel('org/tiny:Q8_0', offline))
    expect(missing.message).toMatch(/^org\/tiny@main:Q8_0 is neither a folder here nor complete in the cache/)
    rmSync(join(repo, 'snapshots', COMMIT, 'm-Q4_K_M.gguf'))
    expect((await failure(resolveModel('org/tiny:Q4_K_M', offline))).message).toContain('Q4_K_M is not there')
  })

  it('of a repository without safetensors need no name; the usual quantisation is taken', async () => {
    const files = {
      'README.md': '',
      'm-Q2_K.gguf': gguf('a'),
      'm-Q4_K_M.gguf': gguf('b'),
      'mmproj-F16.gguf': gguf('clip'),
    }
    const { options } = await setUp(files)
    expect(await downloadModel(name, options)).toMatch(/m-Q4_K_M\.gguf$/)
  })

  it('that are not there are told with those that are', async () => {
    const { options } = await setUp(ALL)
    const error = await failure(downloadModel({ ...name, file: 'Q4_KM' }, options))
    expect(error.code).toBe('model_not_found')
    expect(error.message).toBe(
      'org/tiny has no one GGUF model "Q4_KM"; give one of Q4_K_M, Q8_0; did you mean org/tiny:Q4_K_M?',
    )
    const none = await setUp()
    const without = await failure(downloadModel(q4, none.options))
    expect(without.message).toBe('org/tiny has no GGUF files; the name without ":Q4_K_M" takes its safetensors')
    const half = await setUp({ 'm-00001-of-00002.gguf': gguf('a') })
    expect((await failure(downloadModel(name, half.options))).message).toContain('has no m-00002-of-00002.gguf')
  })
})

it('a model that does not run is refused before its weights are asked for', async () => {
  const { options, hub } = await setUp()
  const beforeWeights = async (folder: string) => {
    expect(readdirSync(folder)).toContain('config.json')
    throw new Error('not this one')
  }
  expect((await failure(downloadModel(name, { ...options, beforeWeights }))).message).toBe('not this one')
  expect(hub.requests.some(({ path }) => path.endsWith('.safetensors'))).toBe(false)
})

const shown = (models: readonly StoredModel[]) =>
  models.map(({ name, family, format, bytes, files, complete }) => ({ name, family, format, bytes, files, complete }))

describe("the hub's cache", () => {
  const sizes = (...names: (keyof typeof ALL)[]) =>
    names.reduce((sum, file) => sum + Buffer.from(ALL[file] as Uint8Array).length, 0)
  const SET = sizes('Q8_0/m-Q8_0-00001-of-00002.gguf', 'Q8_0/m-Q8_0-00002-of-00002.gguf')
  const TINY = sizes('README.md', 'config.json', 'tokenizer.json', 'chat_template.jinja', 'model.safetensors')

  const filled = async () => {
    const made = await setUp(ALL)
    for (const each of [name, q4, q8]) await downloadModel(each, made.options)
    return { ...made, store: hubStore(made.options.cacheDir) }
  }

  it('lists each model with its size and family', async () => {
    const { store } = await filled()
    const models = shown(await store.list()).sort((a, b) => (a.name < b.name ? -1 : 1))
    expect(models).toEqual([
      { name: 'org/tiny', family: 'llama', format: 'safetensors', bytes: TINY, files: 5, complete: true },
      {
        name: 'org/tiny:Q4_K_M',
        family: 'deepseek2',
        format: 'gguf',
        bytes: sizes('m-Q4_K_M.gguf'),
        files: 1,
        complete: true,
      },
      { name: 'org/tiny:Q8_0', family: 'deepseek2', format: 'gguf', bytes: SET, files: 2, complete: true },
    ])
    for (const model of await store.list()) expect((await store.find(model.name))?.path).toBe(model.path)
    expect((await store.find('org/tiny:q8_0'))?.name).toBe('org/tiny:Q8_0')
    for (const absent of ['org/tiny:Q6_K', 'org/other', '../tiny', 'tiny', '']) {
      expect(await store.find(absent)).toBeUndefined()
    }
  })

  it('removes one model and leaves the others whole', async () => {
    const { store, repo, options } = await filled()
    const [model] = (await store.list()).filter(m => m.name === 'org/tiny:Q8_0')
    expect(await store.remove(model as StoredModel)).toBe(SET)
    expect((await store.list()).map(m => m.name).sort()).toEqual(['org/tiny', 'org/tiny:Q4_K_M'])
    expect(existsSync(join(repo, 'snapshots', COMMIT, 'Q8_0'))).toBe(false)
    expect(readdirSync(join(repo, 'blobs'))).toHaveLength(6)
    expect(await resolveModel('org/tiny', { ...options, offline: true })).toBe(join(repo, 'snapshots', COMMIT))
    const tiny = await store.find('org/tiny')
    expect(await store.remove(tiny as StoredModel)).toBe(TINY)
    expect((await store.list()).map(m => m.name)).toEqual(['org/tiny:Q4_K_M'])
    const last = await store.find('org/tiny')
    expect(await store.remove(last as StoredModel)).toBe(sizes('m-Q4_K_M.gguf'))
    expect(existsSync(repo)).toBe(false)
    expect(await store.list()).toEqual([])
  })

  it('keeps a blob that another revision needs', async () => {
    const { store, repo, options } = await filled()
    const other = 'f'.repeat(40)
    mkdirSync(join(repo, 'snapshots', other))
    symlinkSync(
      join('../../blobs', readdirSync(join(repo, 'blobs')).find(b => b.length === 64) as string),
      join(repo, 'snapshots', other, 'x-Q2_K.gguf'),
    )
    for (const model of await store.list())
      if (model.name.startsWith('org/tiny:') || model.name === 'org/tiny') await store.remove(model)
    expect((await store.list()).map(m => m.name)).toEqual([`org/tiny@${other}:Q2_K`])
    expect(existsSync(join(repo, 'refs/main'))).toBe(false)
    expect(await resolveModel(`org/tiny@${other}`, { ...options, offline: true })).toContain('x-Q2_K.gguf')
  })

  it('shows a download that was broken off, and removes it', async () => {
    const { options, repo } = await setUp(single(), (request, response, body) => {
      if (!isStore(request.path)) return false
      if (request.range !== undefined) {
        refuse(response, 400, 'Enough')
        return true
      }
      response.writeHead(200, { 'content-length': body.length })
      response.write(body.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 20))
      return true
    })
    await failure(downloadModel(name, options))
    const store = hubStore(options.cacheDir)
    const [model] = await store.list()
    expect(model).toMatchObject({ name: 'org/tiny', complete: false, family: 'llama' })
    expect(model?.bytes).toBeGreaterThan(1000)
    expect(await store.find('org/tiny')).toBeUndefined()
    await store.remove(model as StoredModel)
    expect(existsSync(repo)).toBe(false)
  })

  it('does not remove what is being downloaded', async () => {
    const { store, options } = await filled()
    const locks = join(options.cacheDir, '.locks', 'models--org--tiny')
    const lock = join(locks, `${'a'.repeat(64)}.latentkit`)
    const [model] = await store.list()
    const owner = { id: 'x', pid: process.pid, host: hostname() }
    writeFileSync(lock, JSON.stringify(owner))
    expect((await failure(store.remove(model as StoredModel))).code).toBe('download_running')
    // Of a process that is gone.
    writeFileSync(lock, JSON.stringify({ ...owner, pid: 2 ** 22 + 1 }))
    expect(await store.remove(model as StoredModel)).toBeGreaterThan(0)
  })

  it('leaves other things in the folder alone', async () => {
    const cache = tempFolder({
      'datasets--org--name/blobs/x': 'x',
      'models--..--x/blobs/y': 'y',
      'models--nobody/blobs/y': 'y',
      'version.txt': '1',
    })
    expect(await hubStore(cache).list()).toEqual([])
    expect(await hubStore(join(cache, 'none')).list()).toEqual([])
  })
})

describe('a folder of models', () => {
  const folder = () =>
    tempFolder({
      'tiny/config.json': '{"model_type":"llama"}',
      'tiny/model.safetensors': weights('w', 64),
      'tiny/1_Pooling/config.json': '{}',
      'big-Q4_K_M-00001-of-00002.gguf': gguf('deepseek2', 10),
      'big-Q4_K_M-00002-of-00002.gguf': gguf('deepseek2', 20),
      'half-00001-of-00002.gguf': gguf('llama'),
      'maker/model/Model-Q8_0.gguf': gguf('qwen3', 30),
      'maker/model/mmproj-F16.gguf': gguf('clip'),
      'broken.gguf': 'nothing',
      '.hidden/x.gguf': gguf('llama'),
      'notes.txt': '',
    })

  it('has its models by their paths', async () => {
    const store = await openStore(folder())
    const models = shown(await store.list()).sort((a, b) => (a.name < b.name ? -1 : 1))
    expect(models.map(({ name, family, files }) => [name, family, files])).toEqual([
      ['big-Q4_K_M', 'deepseek2', 2],
      ['broken', null, 1],
      ['maker/model/Model-Q8_0', 'qwen3', 1],
      ['tiny', 'llama', 2],
    ])
    expect((await store.find('model-q8_0'))?.name).toBe('maker/model/Model-Q8_0')
    expect(await store.find('../tiny')).toBeUndefined()
    expect(await store.find('half')).toBeUndefined()
  })

  it('is a cache of the hub if it looks like one', async () => {
    const { options } = await setUp()
    await downloadModel(name, options)
    expect((await (await openStore(options.cacheDir)).list()).map(m => m.name)).toEqual(['org/tiny'])
  })

  it('loses a model’s own files only, and of a link the link', async () => {
    const root = folder()
    writeFileSync(join(root, 'maker/model/keep.txt'), '')
    const elsewhere = tempFolder({ 'config.json': '{"model_type":"gpt2"}', 'model.safetensors': weights('w', 64) })
    symlinkSync(elsewhere, join(root, 'linked'))
    const store = folderStore(root)
    const remove = async (model: string) => store.remove((await store.find(model)) as StoredModel)
    expect(await remove('big-Q4_K_M')).toBe(2 * gguf('deepseek2').length + 30)
    await remove('maker/model/Model-Q8_0')
    expect(readdirSync(join(root, 'maker/model')).sort()).toEqual(['keep.txt', 'mmproj-F16.gguf'])
    await remove('linked')
    expect(lstatSync(elsewhere).isDirectory()).toBe(true)
    expect(readdirSync(elsewhere)).toHaveLength(2)
    expect((await store.list()).map(m => m.name).sort()).toEqual(['broken', 'tiny'])
    const stranger = { ...((await store.find('tiny')) as StoredModel), name: '../x' }
    expect(await store.remove(stranger)).toBe(0)
  })

  it('without models is empty, and so is one that is not there', async () => {
    expect(await folderStore(tempFolder()).list()).toEqual([])
    expect(await folderStore(join(tempFolder(), 'none')).list()).toEqual([])
  })
})
