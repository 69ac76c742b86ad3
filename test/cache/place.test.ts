/** A store over a place that gives less room than was asked for, as browsers do. */
import { expect, it, vi } from 'vitest'
import { blockName, encodeBlock } from '../../src/cache/stored/block-file.ts'
import type { BlockPlace } from '../../src/cache/stored/block-place.ts'
import { BlockStore } from '../../src/cache/stored/block-store.ts'
import { cachedModels, removeCached } from '../../src/cache/stored/manage.ts'
import { blockOf } from './stored-block.mjs'

const PRINT = 'f'.repeat(32)

/** Files in memory, of which a browser gives half of what is free. */
class MemoryPlace implements BlockPlace {
  readonly files = new Map<string, { bytes: Uint8Array; usedAt: number }>()
  quota = Number.POSITIVE_INFINITY
  #time = 0

  get used(): number {
    return [...this.files.values()].reduce((n, { bytes }) => n + bytes.length, 0)
  }

  show = (path: string) => path
  async names(folder: string) {
    const start = folder === '' ? '' : `${folder}/`
    const inside = [...this.files.keys()].filter(path => path.startsWith(start))
    return [...new Set(inside.map(path => path.slice(start.length).split('/')[0] as string))]
  }
  async stat(path: string) {
    const file = this.files.get(path)
    return file ? { bytes: file.bytes.length, usedAt: file.usedAt } : null
  }
  read = async (path: string) => this.files.get(path)?.bytes ?? null
  async write(path: string, bytes: Uint8Array) {
    if (this.used + bytes.length > this.quota) throw new DOMException('no room', 'QuotaExceededError')
    this.files.set(path, { bytes, usedAt: this.#time++ })
  }
  async touch(path: string) {
    const file = this.files.get(path)
    if (file) file.usedAt = this.#time++
  }
  async remove(path: string) {
    for (const file of this.files.keys()) if (file === path || file.startsWith(`${path}/`)) this.files.delete(file)
  }
  limit = async (bytes: number) => Math.floor((bytes + this.quota - this.used) / 2)
  isPermanent = () => false
}

it('takes half of what the place gives, gives up the longest unused, and has none where there is none', async () => {
  const place = new MemoryPlace()
  const notices: string[] = []
  const open = () =>
    new BlockStore({ place, fingerprint: PRINT, label: 'a model', maxBytes: 1e9, onNotice: n => notices.push(n) })
  const size = (await encodeBlock(blockOf(1, PRINT))).length
  place.quota = 20.5 * size
  const store = open()
  for (let n = 0; n < 30; n++) {
    expect(await store.write(blockOf(n, PRINT))).toBe(true)
    await store.touch([blockName(blockOf(0, PRINT))])
    // The size of the label is not that of a block.
    expect(place.used).toBeLessThanOrEqual(11 * size)
  }
  expect(await store.read(blockName(blockOf(0, PRINT)))).not.toBeNull()
  expect(await store.read(blockName(blockOf(1, PRINT)))).toBeNull()
  expect(notices).toEqual([])
  // Others have filled it.
  place.quota = place.used
  const late = open()
  expect(await late.write(blockOf(100, PRINT))).toBe(true)
  place.quota = 0
  const none = open()
  expect(await none.write(blockOf(101, PRINT))).toBe(false)
  expect(await none.write(blockOf(102, PRINT))).toBe(false)
  expect(notices).toEqual([expect.stringMatching(/^cache: a block could not be kept in f+: /)])
  const [model] = await cachedModels(place)
  expect(model).toMatchObject({ fingerprint: PRINT, label: 'a model' })
  expect(await removeCached(place, [PRINT])).toBe(model?.bytes)
  expect(place.files.size).toBe(0)
})

it('keeps to its bound when two blocks are written at once', async () => {
  const place = new MemoryPlace()
  const size = (await encodeBlock(blockOf(1, PRINT))).length
  const open = () => new BlockStore({ place, fingerprint: PRINT, label: 'a model', maxBytes: 20.5 * size })
  const first = open()
  for (let n = 0; n < 19; n++) expect(await first.write(blockOf(n, PRINT))).toBe(true)
  const names = place.names.bind(place)
  // A count takes its time: the second write comes while the first one counts.
  place.names = async folder => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return names(folder)
  }
  const second = open()
  const written = [20, 21].map(n => second.write(blockOf(n, PRINT)))
  expect(await Promise.all(written)).toEqual([true, true])
  const [model] = await cachedModels(place)
  expect(model?.bytes).toBeLessThanOrEqual(20.5 * size)
})

it('does without a place that hangs, tries it again after a while, and has it back when it comes back', async () => {
  const place = new MemoryPlace()
  const notices: string[] = []
  const told = { onNotice: (notice: string) => void notices.push(notice) }
  const store = new BlockStore({ place, fingerprint: PRINT, label: 'a model', maxBytes: 1e9, ...told })
  const [kept, lost] = [blockOf(1, PRINT), blockOf(2, PRINT)]
  const isFound = async () => (await store.find(PRINT, kept.ids)).length > 0
  expect(await store.write(kept)).toBe(true)
  expect(await isFound()).toBe(true)

  const hung: (() => void)[] = []
  const names = place.names.bind(place)
  place.names = async folder => {
    await new Promise<void>(resolve => hung.push(resolve))
    return names(folder)
  }
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const isFoundIn = async (ms: number) => {
    const found = isFound()
    await vi.advanceTimersByTimeAsync(ms)
    return found
  }
  expect(await isFoundIn(21_000)).toBe(false)
  expect(notices).toEqual([expect.stringMatching(/^cache: f+ has not come back for 20 s; /)])
  // Nobody waits for it again.
  expect(await store.write(lost)).toBe(false)
  expect(await store.read(blockName(kept))).toBeNull()
  expect(hung).toHaveLength(1)
  // After a while once more, and then no more.
  await vi.advanceTimersByTimeAsync(31_000)
  expect(await isFoundIn(21_000)).toBe(false)
  await vi.advanceTimersByTimeAsync(31_000)
  expect(await isFoundIn(0)).toBe(false)
  expect(hung).toHaveLength(2)
  vi.useRealTimers()

  place.names = names
  for (const goOn of hung) goOn()
  await new Promise(resolve => setTimeout(resolve))
  expect(await isFound()).toBe(true)
  expect(await store.write(lost)).toBe(true)
})

it('lets two works hang at most, however many are asked for at once', async () => {
  const place = new MemoryPlace()
  const store = new BlockStore({ place, fingerprint: PRINT, label: 'a model', maxBytes: 1e9 })
  let hung = 0
  const hang = () => {
    hung++
    return new Promise<never>(() => {})
  }
  place.read = hang
  place.touch = hang
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const reads = Array.from({ length: 8 }, (_, n) => store.read(blockName(blockOf(n, PRINT))))
  const touched = store.touch([blockName(blockOf(1, PRINT))])
  await vi.advanceTimersByTimeAsync(21_000)
  expect(await Promise.all(reads)).toEqual(Array(8).fill(null))
  await touched
  await vi.advanceTimersByTimeAsync(31_000)
  await store.touch([blockName(blockOf(1, PRINT))])
  vi.useRealTimers()
  expect(hung).toBe(2)
})

it('writes a block again that has what its file lacks, with what the file has', async () => {
  const place = new MemoryPlace()
  const store = new BlockStore({ place, fingerprint: PRINT, label: 'a model', maxBytes: 1e9 })
  const key = { parent: PRINT, ids: [1, 2], provenance: [0, 0] }
  const [rows, state] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6, 7)]
  const name = blockName(key)
  await store.write({ ...key, groups: [rows, null] })
  await store.write({ ...key, groups: [null, state] })
  expect((await store.read(name))?.groups).toEqual([rows, state])
  await store.write({ ...key, groups: [rows, null] })
  expect((await store.read(name))?.groups).toEqual([rows, state])
})
