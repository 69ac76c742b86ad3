/** A disk that is really full: a tmpfs of a few hundred KB. */
import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DiskPlace } from '../../src/cache/disk/disk-place.ts'
import { blockName } from '../../src/cache/stored/block-file.ts'
import { BlockStore } from '../../src/cache/stored/block-store.ts'
import { checkBlock, listBlocks } from '../../src/cache/stored/list-blocks.ts'
import type { StoredBlock } from '../../src/cache/stored/stored-block.ts'
import { SessionFileError } from '../../src/index.ts'
import { loadTales } from '../engine/tales.ts'
import { HAS_SMALL_DISKS, type SmallDisk, smallDisk } from '../support/small-disk.ts'
import { blockOf } from './stored-block.mjs'

const SIZE = 400 * 1024
const PRINT = 'f'.repeat(32)
const GREEDY = { temperature: 0, ignoreEos: true } as const
const STORY = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '

describe.skipIf(!HAS_SMALL_DISKS)('a full disk (needs the right to mount a tmpfs)', () => {
  let disk: SmallDisk
  beforeEach(() => {
    disk = smallDisk(SIZE) as SmallDisk
  })
  afterEach(() => disk.remove())
  const free = () => {
    const { bavail, bsize } = statfsSync(disk.path)
    return bavail * bsize
  }
  const blocks = () => listBlocks(new DiskPlace(disk.path))

  it('keeps the blocks that it has, and takes more when there is room again', async () => {
    const notices: string[] = []
    const open = () =>
      new BlockStore({
        place: new DiskPlace(disk.path),
        fingerprint: PRINT,
        label: 'a model',
        maxBytes: 1e9,
        onNotice: notice => notices.push(notice),
      })
    const store = open()
    const kept: StoredBlock[] = []
    let n = 0
    for (; n < 1000; n++) {
      const block = blockOf(n, PRINT, 20_000)
      if (!(await store.write(block))) break
      kept.push(block)
    }
    expect(n).toBeGreaterThan(5)
    expect(n).toBeLessThan(SIZE / 20_000)
    expect(notices).toEqual([expect.stringMatching(/^cache: a block could not be kept in .*: ENOSPC: no space left/)])
    // Nothing half done is left, and what is there is whole.
    const files = await blocks()
    expect(files.map(f => f.name).sort()).toEqual(kept.map(blockName).sort())
    for (const file of files) expect(await checkBlock(new DiskPlace(disk.path), file)).toBeNull()
    for (const block of kept) expect(await store.read(blockName(block))).toEqual(block)
    rmSync(join(disk.path, (files[0] as { path: string }).path))
    expect(await open().write(blockOf(n, PRINT, 10_000))).toBe(true)
  })

  it('lets an engine go on, which says so once', async () => {
    const notices: string[] = []
    const engine = await loadTales({ cacheDir: disk.path, onNotice: notice => notices.push(notice) })
    const prompts = ['A', 'The', 'In'].map(word => `${word} ${STORY.repeat(20)}`)
    for (const prompt of prompts) {
      const { text } = await engine.generate(prompt, { ...GREEDY, maxTokens: 12 })
      expect(text).toBe((await engine.generate(prompt, { ...GREEDY, maxTokens: 12, reuse: false })).text)
    }
    await engine.dispose()
    expect(notices).toEqual([expect.stringMatching(/ENOSPC/)])
    const found = await blocks()
    expect(found.length).toBeGreaterThan(0)
    for (const file of found) expect(await checkBlock(new DiskPlace(disk.path), file)).toBeNull()
    const second = await loadTales({ cacheDir: disk.path })
    const warm = await second.generate(prompts[0] as string, { ...GREEDY, maxTokens: 12, strict: true })
    expect(warm.usage.cachedTokens).toBeGreaterThan(0)
    await second.dispose()
  })

  it('leaves the older file of a session whole', async () => {
    const engine = await loadTales()
    const session = engine.session()
    const file = join(disk.path, 'a.session')
    await session.prompt(STORY, { ...GREEDY, maxTokens: 8 })
    await session.save(file)
    const before = readFileSync(file)
    const filler = join(disk.path, 'filler')
    writeFileSync(filler, Buffer.alloc(free() - 8192))
    await session.prompt(STORY, { ...GREEDY, maxTokens: 8 })
    await expect(session.save(file)).rejects.toThrow(SessionFileError)
    await expect(session.save(file)).rejects.toThrow(/could not be saved as .*: ENOSPC: no space left on device/)
    expect(readFileSync(file)).toEqual(before)
    expect(readdirSync(disk.path).sort()).toEqual(['a.session', 'filler'])
    rmSync(filler)
    await session.save(file)
    const twin = await engine.restore(file)
    expect(twin.tokens).toEqual(session.tokens)
    expect(existsSync(filler)).toBe(false)
    await engine.dispose()
  })
})

if (!HAS_SMALL_DISKS) console.warn('SKIPPED: 3 tests of a full disk need the right to mount a tmpfs')
