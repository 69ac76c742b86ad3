/** Sessions in a browser that cannot rename: whenever the tab closes, the older file is there or the new one, whole. */
import { afterEach, expect, it, vi } from 'vitest'
import { sealedFolder } from '../../src/cache/opfs/sealed-opfs.ts'
import { Disk } from '../support/opfs-disk.ts'

const MAGIC = 'LKSESS01'

async function* body(byte: number) {
  for (let i = 0; i < 4; i++) yield new Uint8Array(100).fill(byte)
}

async function bodyOf(name: string): Promise<number> {
  const reader = await sealedFolder('sessions').open(name, MAGIC)
  const bytes = await reader.next(reader.bodyBytes)
  await reader.finish()
  expect(bytes.length).toBe(400)
  return bytes[0] as number
}

afterEach(() => vi.unstubAllGlobals())

it('without renaming', async () => {
  const outcomes = new Set<number>()
  for (let step = 0; ; step++) {
    const disk = new Disk()
    vi.stubGlobal('navigator', { storage: disk.storage })
    const sessions = sealedFolder('sessions')
    await sessions.write('one', MAGIC, { n: 1 }, body(1))
    disk.left = step
    await sessions.write('one', MAGIC, { n: 2 }, body(2)).catch(() => {})
    const closed = disk.left < 0
    disk.left = Number.POSITIVE_INFINITY
    outcomes.add(await bodyOf('one'))
    expect((await sessions.list()).map(({ name }) => name)).toEqual(['one'])
    await sessions.write('two', MAGIC, {}, body(3))
    outcomes.add(await bodyOf('one'))
    expect(await bodyOf('two')).toBe(3)
    expect(disk.files.size).toBe(2)
    expect(await sessions.remove('one')).toBe(true)
    expect(await sessions.remove('one')).toBe(false)
    if (!closed) break
  }
  expect([...outcomes].sort()).toEqual([1, 2])
})
