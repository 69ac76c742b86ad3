import { join, normalize } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { repoFolder } from '../../src/checkpoint/hub/cache-layout.ts'
import { type ModelName, parseModelName, writeModelName } from '../../src/checkpoint/hub/model-name.ts'
import { hubSettings } from '../../src/checkpoint/hub/options.ts'

describe('model names', () => {
  test.each([
    ['deepseek-ai/DeepSeek-V2-Lite', 'main'],
    ['org/name@v1.0', 'v1.0'],
    ['org/name@refs/pr/1', 'refs/pr/1'],
    ['a/b@0123456789abcdef0123456789abcdef01234567', '0123456789abcdef0123456789abcdef01234567'],
  ])('%s', (text, revision) => {
    expect(parseModelName(text)).toEqual({ id: text.split('@')[0], revision })
  })

  test.each([
    ['org/name:Q4_K_M', 'main', 'Q4_K_M'],
    ['org/name@v1:Q4_K_M/m-00001-of-00002.gguf', 'v1', 'Q4_K_M/m-00001-of-00002.gguf'],
    ['hf.co/org/name:Q8_0', 'main', 'Q8_0'],
    ['https://huggingface.co/org/name', 'main', undefined],
    ['https://huggingface.co/org/name/blob/main/a/m.gguf?download=true', 'main', 'a/m.gguf'],
    ['org/name:latest', 'main', undefined],
  ])('%s', (text, revision, file) => {
    expect(parseModelName(text)).toEqual({ id: 'org/name', revision, ...(file !== undefined && { file }) })
  })

  test.each([
    ...['a/b:', 'a/b:..', 'a/b:../c', 'a/b:/c', 'a/b:c/../../d', 'a/b:c\\d', 'a/b:c\0', 'a/b:.x', 'a/b:c.', 'a/b:c\nd'],
    ...['C:/b', 'a:b/c', 'a/b:c@d/../e', 'hf.co/a/..', 'http://elsewhere.org/a/b', 'a/b/blob/main/c.gguf'],
  ])('not %j', text => expect(parseModelName(text)).toBeUndefined())

  test.each(['org/name', 'org/name@v1', 'org/name:Q4_K_M', 'org/name@refs/pr/1:a/b.gguf'])(
    '%s is written again',
    text => {
      expect(writeModelName(parseModelName(text) as ModelName)).toBe(text)
    },
  )

  test.each(['name', 'a/b/c', '/b', 'a/', '../b', 'a/..', 'a/b@', 'a/b@..', 'a/b@x/../y', 'a/b@/x', './b', 'a/.b'])(
    'not %s',
    text => expect(parseModelName(text)).toBeUndefined(),
  )

  test.each(['a--b/c', 'a/b c', 'a\\b/c', 'a/b@x y', 'a/b@x.lock', `a/${'x'.repeat(97)}`, 'https://x/y', '~/b', ''])(
    'not %s',
    text => expect(parseModelName(text)).toBeUndefined(),
  )

  it('never lead out of the cache', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', 'a', '@', '-', '--', 'b.c', '~', ' ', '\u0000', ':')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), pieces => {
        const name = parseModelName(pieces.join(''))
        if (name === undefined) return
        const repo = repoFolder('/cache', name)
        expect(normalize(repo)).toBe(repo)
        expect(repo.split('/')).toHaveLength(3)
        const ref = join(repo, 'refs', name.revision)
        expect(ref.startsWith(join(repo, 'refs/'))).toBe(true)
        if (name.file !== undefined) expect(join(repo, name.file).startsWith(`${repo}/`)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('settings from the environment', () => {
  test.each<[Record<string, string>, string]>([
    [{ HF_HUB_CACHE: '/1', HUGGINGFACE_HUB_CACHE: '/2', HF_HOME: '/3', XDG_CACHE_HOME: '/4' }, '/1'],
    [{ HUGGINGFACE_HUB_CACHE: '/2', HF_HOME: '/3', XDG_CACHE_HOME: '/4' }, '/2'],
    [{ HF_HOME: '/3', XDG_CACHE_HOME: '/4' }, '/3/hub'],
    [{ XDG_CACHE_HOME: '/4' }, '/4/huggingface/hub'],
    [{}, '/home/me/.cache/huggingface/hub'],
    [{ HF_HUB_CACHE: '~/models' }, '/home/me/models'],
    [{ HF_HOME: '~' }, '/home/me/hub'],
    [{ HF_HUB_CACHE: '~other' }, '~other'],
    [{ HF_HUB_CACHE: '' }, '/home/me/.cache/huggingface/hub'],
  ])('%j', (env, cacheDir) => expect(hubSettings(env, '/home/me')).toEqual({ cacheDir }))

  it('endpoint, token, offline', () => {
    const env = { HF_ENDPOINT: 'http://mirror', HF_TOKEN: 'hf_x', HF_HUB_OFFLINE: '1', HF_HUB_CACHE: '/c' }
    expect(hubSettings(env, '/')).toEqual({ cacheDir: '/c', endpoint: 'http://mirror', token: 'hf_x', offline: true })
    expect(hubSettings({ HF_HUB_OFFLINE: '0', HF_HUB_CACHE: '/c' }, '/')).toEqual({ cacheDir: '/c' })
  })
})
