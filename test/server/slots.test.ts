/** /slots: what is remembered of conversations, saved under names and found again after a restart. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundledModel } from 'latentkit'
import type { Server, ServerOptions } from 'latentkit/server'
import { afterAll, describe, expect, test } from 'vitest'
import { HAS_SMALL_DISKS, smallDisk } from '../support/small-disk.ts'
import { post, testServer } from './support.ts'

const STORY = 'Once upon a time there was a little dog who liked to play in the garden with a red ball. '.repeat(7)

type Slot = { id: number; is_processing: boolean; n_prompt_tokens?: number; model?: string }
type Body = Record<string, never> & { error?: { code: string; message: string } }

/** For all tests of the file: its servers live as long. */
function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latentkit-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A server on the folder, as it is after a restart. */
const restarted = (folder: string, more: ServerOptions = {}) =>
  testServer({ slotSavePath: folder, maxRunning: 3, ...more })

async function slots({ app }: Server, headers: Record<string, string> = {}): Promise<Slot[]> {
  return (await (await app.request('/slots', { headers })).json()) as Slot[]
}

async function act(server: Server, slot: number, action: string, body: object = {}, headers = {}) {
  const { status, body: got } = await post(server, `/slots/${slot}?action=${action}`, body, headers)
  return { status, body: got as Body }
}

async function complete(server: Server, prompt: unknown, more: object = {}, headers = {}) {
  const asked = { prompt, n_predict: 8, temperature: 0, ignore_eos: true, ...more }
  const { status, body } = await post(server, '/completion', asked, headers)
  expect(status).toBe(200)
  return body as { content: string; tokens_cached: number; tokens_evaluated: number; id_slot: number }
}

describe('a text', () => {
  const folder = tempFolder()

  test('is saved under a name, and found in the cache after a restart', async () => {
    const first = await restarted(folder)
    const { content, tokens_evaluated } = await complete(first, STORY, { id_slot: 1 })
    const saved = await act(first, 1, 'save', { filename: 'story.bin' })
    const tokens = tokens_evaluated + 8
    const kept = tokens - (tokens % 64)
    expect(saved).toMatchObject({
      status: 200,
      body: { id_slot: 1, filename: 'story.bin', n_saved: kept, timings: { save_ms: expect.any(Number) } },
    })
    expect(statSync(join(folder, 'story.bin')).size).toBe(saved.body.n_written)
    const long = `${STORY}${content} The end of it was`
    const expected = await complete(first, long)

    const second = await restarted(folder)
    const restored = await act(second, 0, 'restore', { filename: 'story.bin' })
    expect(restored).toMatchObject({
      status: 200,
      body: { id_slot: 0, n_restored: kept, n_read: saved.body.n_written, timings: { restore_ms: expect.any(Number) } },
    })
    expect((await slots(second))[0]).toMatchObject({ id: 0, n_prompt_tokens: kept, model: 'tales-mla-8m' })
    const again = await complete(second, long)
    expect(again.tokens_cached).toBe(kept)
    expect(again.content).toBe(expected.content)
  })

  test('is one of a list, and can be removed', async () => {
    const server = await restarted(folder)
    const list = async () =>
      (await (await server.app.request('/slots/saved')).json()) as { data: { filename: string }[] }
    expect((await list()).data).toMatchObject([{ filename: 'story.bin', n_bytes: expect.any(Number) }])
    const gone = await server.app.request('/slots/saved/story.bin', { method: 'DELETE' })
    expect([gone.status, await gone.json()]).toMatchObject([200, { filename: 'story.bin' }])
    expect((await list()).data).toEqual([])
    expect((await act(server, 0, 'restore', { filename: 'story.bin' })).body.error?.code).toBe('slot_not_found')
  })
})

test('the next turn of a conversation is remembered where the turn before was', async () => {
  const server = await restarted(tempFolder())
  const messages = [{ role: 'user', content: STORY }]
  const asked = { max_tokens: 8, temperature: 0, ignore_eos: true }
  const chat = async (more: readonly object[]) =>
    (await post(server, '/v1/chat/completions', { ...asked, messages: [...messages, ...more] })).body as {
      choices: [{ message: { content: string } }]
    }
  const answer = (await chat([])).choices[0].message
  await complete(server, 'Another text')
  await chat([answer, { role: 'user', content: 'Go on' }])
  const held = (await slots(server)).map(({ n_prompt_tokens = 0 }) => n_prompt_tokens)
  expect(held[0]).toBeGreaterThan(150)
  expect(held.slice(1)).toEqual([expect.any(Number), 0])
  expect((await act(server, 0, 'erase')).body).toEqual({ id_slot: 0, n_erased: held[0] })
  expect((await slots(server))[0]?.n_prompt_tokens).toBeUndefined()
})

test('what is no name is refused, and nothing is written or read', async () => {
  const folder = join(tempFolder(), 'slots')
  const server = await restarted(folder)
  await complete(server, STORY, { id_slot: 0 })
  const hostile = [
    ...[
      '../a',
      '..',
      '.',
      '.hidden',
      // Å as the sign of a unit, which some file systems take for the letter.
      '\u212b',
      '/etc/passwd',
      'a/b',
      'a\\b',
      'C:\\a',
      'a\0b',
      '',
      ' a',
      'a ',
      'a.',
      '-rf',
      'a..b',
    ],
    ...[
      'x'.repeat(201),
      'ä'.repeat(101),
      'con',
      'NUL.bin',
      'a\nb',
      'a:b',
      'a*',
      '~',
      'a.part',
      '%2e%2e',
      'e\u0301',
      null,
      7,
    ],
    ...[{ path: 'a' }, ['a']],
  ]
  for (const filename of hostile) {
    for (const action of ['save', 'restore']) {
      const { status, body } = await act(server, 0, action, { filename })
      expect([filename, status]).toEqual([filename, 400])
      expect(body.error?.message).toMatch(/filename/)
    }
  }
  for (const path of ['/slots/saved/..%2fa', '/slots/saved/.hidden', '/slots/saved/a%00']) {
    expect((await server.app.request(path, { method: 'DELETE' })).status).toBe(400)
  }
  expect(readdirSync(folder)).toEqual([])
  const { status } = await act(server, 0, 'save', { filename: 'Größe 1_2-ü.bin' })
  expect([status, readdirSync(folder)]).toEqual([200, ['Größe 1_2-ü.bin']])
})

describe('a file that is none', async () => {
  const folder = tempFolder()
  const server = await restarted(folder)
  await complete(server, STORY, { id_slot: 0 })
  await act(server, 0, 'save', { filename: 'whole' })
  const before = await slots(server)

  const refused = async (name: string, code: string) => {
    const bytes = readFileSync(join(folder, name))
    const { status, body } = await act(server, 0, 'restore', { filename: name })
    expect([status, body.error?.code]).toEqual([400, code])
    expect(body.error?.message).toContain(JSON.stringify(name))
    expect(body.error?.message).not.toContain(folder)
    // The slot has what it had, and so has the file.
    expect(await slots(server)).toEqual(before)
    expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true)
  }

  test('truncated, damaged, foreign or empty: an error, and nothing is lost', async () => {
    const names = ['short', 'flipped', 'foreign', 'empty', 'ENOSPC']
    for (const name of names) cpSync(join(folder, 'whole'), join(folder, name))
    truncateSync(join(folder, 'short'), statSync(join(folder, 'whole')).size - 1000)
    const bytes = readFileSync(join(folder, 'whole'))
    bytes[bytes.length - 200] = (bytes[bytes.length - 200] as number) ^ 1
    writeFileSync(join(folder, 'flipped'), bytes)
    writeFileSync(join(folder, 'foreign'), Buffer.concat([Buffer.from('ggsq'), Buffer.alloc(5000, 7)]))
    // A name that looks like the code of an error is none.
    for (const name of ['empty', 'ENOSPC']) truncateSync(join(folder, name))
    for (const name of names) await refused(name, 'invalid_slot_file')
  })

  test('of another model: an error that says so', async () => {
    const other = await restarted(folder, { models: ['test/fixtures/checkpoints/gemma3-mqa'] })
    const { status, body } = await act(other, 0, 'restore', { filename: 'whole' })
    expect([status, body.error?.code]).toEqual([400, 'slot_mismatch'])
    expect(existsSync(join(folder, 'whole'))).toBe(true)
  })

  test('of a longer context: an error that says so', async () => {
    const short = await restarted(folder, { load: { contextLength: 128 } })
    const { status, body } = await act(short, 0, 'restore', { filename: 'whole' })
    expect([status, body.error?.code]).toEqual([400, 'slot_mismatch'])
    expect(body.error?.message).toContain('"whole"')
    expect(body.error?.message).not.toContain(folder)
  })

  test('what cannot be written leaves no part behind', async () => {
    mkdirSync(join(folder, 'taken'))
    const { status, body } = await act(server, 0, 'save', { filename: 'taken' })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(body.error?.message).not.toContain(folder)
    expect(readdirSync(folder).filter(name => name.includes('.part'))).toEqual([])
    expect(statSync(join(folder, 'taken')).isDirectory()).toBe(true)
  })
})

test.skipIf(!HAS_SMALL_DISKS)('a full disk: an error, the older file as it was, and no half one', async () => {
  const disk = smallDisk(350_000)
  try {
    const folder = disk?.path as string
    const server = await restarted(folder)
    await complete(server, STORY.slice(0, 400), { id_slot: 0 })
    expect((await act(server, 0, 'save', { filename: 'a' })).status).toBe(200)
    const older = readFileSync(join(folder, 'a'))
    await complete(server, STORY, { id_slot: 0 })
    const { status, body } = await act(server, 0, 'save', { filename: 'a' })
    expect([status, body.error]).toMatchObject([
      507,
      { code: 'out_of_disk', message: 'The disk is full: "a" was not saved.' },
    ])
    expect(readdirSync(folder)).toEqual(['a'])
    expect(readFileSync(join(folder, 'a')).equals(older)).toBe(true)
  } finally {
    disk?.remove()
  }
})

describe('a salt whose folder cannot be made: an error in words, without a path, and nothing half written', () => {
  const salted = { filename: 'a', cache_salt: 'tenant' }
  const saved = async (folder: string, spoil: () => void) => {
    const server = await restarted(folder)
    await complete(server, STORY, { id_slot: 0, cache_salt: 'tenant' })
    spoil()
    const { status, body } = await act(server, 0, 'save', salted)
    expect(body.error?.message).not.toContain(folder)
    return [status, body.error?.code, body.error?.message]
  }

  test('a file is in its place', async () => {
    const folder = tempFolder()
    const name = `.salt-${createHash('sha256').update('slots tenant').digest('hex').slice(0, 32)}`
    const got = await saved(folder, () => writeFileSync(join(folder, name), 'x'))
    expect(got).toEqual([500, 'slot_file', expect.stringMatching(/^"a" was not saved: .* (EEXIST|ENOTDIR)\b/)])
    expect(readdirSync(folder)).toEqual([name])
  })

  test.skipIf(!HAS_SMALL_DISKS)('the disk is read only', async () => {
    const disk = smallDisk(350_000)
    try {
      const path = disk?.path as string
      const got = await saved(path, () => spawnSync('mount', ['-o', 'remount,ro', path]))
      expect(got).toEqual([500, 'slot_file', expect.stringMatching(/^"a" was not saved: the server may not write in /)])
      expect(readdirSync(path)).toEqual([])
    } finally {
      disk?.remove()
    }
  })
})

describe('keys and salts', async () => {
  const folder = tempFolder()
  const keys = { apiKeys: ['key-a', 'key-b'] }
  const [a, b] = [{ authorization: 'Bearer key-a' }, { authorization: 'Bearer key-b' }]
  const server = await restarted(folder, keys)
  await complete(server, STORY, { id_slot: 0 }, a)
  await act(server, 0, 'save', { filename: 'mine' }, a)

  test('another key sees and takes nothing of it', async () => {
    expect((await slots(server, b))[0]).toEqual({ id: 0, n_ctx: 2048, speculative: false, is_processing: false })
    expect((await act(server, 0, 'save', { filename: 'theirs' }, b)).status).toBe(400)
    expect((await act(server, 0, 'restore', { filename: 'mine' }, b)).body.error?.code).toBe('slot_not_found')
    expect((await act(server, 0, 'erase', {}, b)).body).toEqual({ id_slot: 0, n_erased: 0 })
    const list = await server.app.request('/slots/saved', { headers: b })
    expect(await list.json()).toMatchObject({ data: [] })
    expect((await server.app.request('/slots/saved/mine', { method: 'DELETE', headers: b })).status).toBe(404)
    expect((await slots(server, a))[0]).toMatchObject({ n_prompt_tokens: expect.any(Number) })
  })

  test('after a restart its own key alone finds it in the cache', async () => {
    const second = await restarted(folder, keys)
    expect((await act(second, 0, 'restore', { filename: 'mine' }, a)).status).toBe(200)
    expect((await complete(second, STORY, {}, b)).tokens_cached).toBe(0)
    expect((await complete(second, STORY, {}, a)).tokens_cached).toBeGreaterThan(100)
  })

  test('a salt of the body counts too', async () => {
    const salt = { cache_salt: 'tenant' }
    await complete(server, STORY, { id_slot: 1, ...salt }, a)
    const unsalted = await act(server, 1, 'save', { filename: 'salted' }, a)
    expect([unsalted.status, unsalted.body.error?.message]).toEqual([400, expect.stringContaining('cache_salt')])
    expect((await act(server, 1, 'save', { filename: 'salted', ...salt }, a)).status).toBe(200)
    expect((await act(server, 1, 'restore', { filename: 'salted' }, a)).status).toBe(404)
    expect((await act(server, 1, 'restore', { filename: 'salted', ...salt }, a)).status).toBe(200)
  })
})

test('what is not there is said', async () => {
  const server = await testServer({ maxRunning: 2 })
  expect((await act(server, 0, 'save', { filename: 'a' })).status).toBe(501)
  expect((await act(server, 0, 'erase')).body).toEqual({ id_slot: 0, n_erased: 0 })
  const bare = await server.app.request('/slots/0?action=erase', { method: 'POST' })
  expect(bare.status).toBe(200)
  expect((await act(server, 2, 'erase')).body.error?.message).toContain('expected 0 to 1')
  for (const slot of ['x', '-1', '1.5', '1e0']) {
    const { status, body } = await post(server, `/slots/${slot}?action=erase`, {})
    expect([status, body]).toMatchObject([
      400,
      { error: { message: `The slot ${JSON.stringify(slot)} is not here; expected 0 to 1`, param: 'id_slot' } },
    ])
  }
  expect((await act(server, 0, 'forget')).body.error?.message).toContain('save, restore or erase')
  const { status, body } = await post(server, '/v1/completions', { prompt: 'a', max_tokens: 1, id_slot: 9 })
  expect([status, body]).toMatchObject([400, { error: { param: 'id_slot' } }])
  const folder = tempFolder()
  const saving = await restarted(folder)
  for (const more of [{}, { cache_salt: 'a' }]) {
    const { body } = await act(saving, 0, 'save', { filename: 'a', ...more })
    expect(body.error?.message).toContain('remembers no text')
  }
  expect(readdirSync(folder)).toEqual([])
})

test('a state is that of its model, of several', async () => {
  const models = [`a=${bundledModel()}`, `b=${bundledModel()}`]
  const folder = tempFolder()
  const server = await restarted(folder, { models })
  await complete(server, STORY, { id_slot: 0, model: 'b' })
  expect((await slots(server))[0]).toMatchObject({ model: 'b' })
  expect((await act(server, 0, 'save', { filename: 'of-b' })).status).toBe(200)
  const second = await restarted(folder, { models })
  expect((await act(second, 0, 'restore', { filename: 'of-b', model: 'b' })).status).toBe(200)
  expect((await complete(second, STORY, { model: 'b' })).tokens_cached).toBeGreaterThan(100)
})
