import { lstatSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveModel } from '../../src/checkpoint/resolve-model.ts'
import { CheckpointError, OptionError } from '../../src/errors.ts'
import { COMMIT, sha256 } from '../support/fake-hub.ts'
import { failure, REPO, setUp, WEIGHTS } from '../support/hub-setup.ts'
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
    expect(word).toBeInstanceOf(OptionError)
    expect(word.message).toContain('"llama" is neither a folder here nor a model name')
    const gguf = await failure(resolveModel('org/model.Q4_K.gguf', options))
    expect(gguf).toBeInstanceOf(CheckpointError)
    expect(gguf.message).toBe('org/model.Q4_K.gguf is not there; expected a GGUF file')
    const there = join(tempFolder({ 'm.gguf': '' }), 'm.gguf')
    expect(await resolveModel(there, options)).toBe(there)
    const file = join(tempFolder({ 'model.safetensors': '' }), WEIGHTS)
    expect((await failure(resolveModel(file, options))).message).toContain('is a file; give the folder')
  })
})
