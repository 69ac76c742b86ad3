/** Blocks on disk: whatever happens to the files, a block that is read is the block that was written, or none. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DiskPlace } from '../../src/cache/disk/disk-place.ts'
import { blockName, encodeBlock } from '../../src/cache/stored/block-file.ts'
import { BlockStore, type StoreOptions } from '../../src/cache/stored/block-store.ts'
import { checkBlock, listBlocks } from '../../src/cache/stored/list-blocks.ts'
import type { StoredBlock } from '../../src/cache/stored/stored-block.ts'
import { Rng } from '../support/rng.ts'
import { blockOf as storedBlock } from './stored-block.mjs'

const PRINT = 'f'.repeat(32)
let folder: string
let notices: string[]
beforeEach(async () => {
  folder = await nodeFs.mkdtemp(join(tmpdir(), 'latentkit-blocks-'))
  notices = []
})
afterEach(() => nodeFs.rm(folder, { recursive: true, force: true }))

function open(options: Partial<StoreOptions> = {}): BlockStore {
  const onNotice = (notice: string) => notices.push(notice)
  return new BlockStore({ place: place(), fingerprint: PRINT, label: 'a model', maxBytes: 1e9, onNotice, ...options })
}

const place = () => new DiskPlace(folder)
const blockOf = (seed: number, parent = PRINT, bytes = 4000) => storedBlock(seed, parent, bytes)
const pathOf = (name: string) => join(folder, PRINT, name.slice(0, 2), `${name}.block`)

describe('a store of blocks', () => {
  it('gives back what was written, to other processes too', async () => {
    const block = blockOf(1)
    expect(await open().write(block)).toBe(true)
    const [name] = await open().find(PRINT, block.ids)
    expect(name).toBe(blockName(block))
    expect(await open().read(name as string)).toEqual(block)
    expect(await nodeFs.readFile(join(folder, PRINT, 'model.txt'), 'utf8')).toBe('a model\n')
    expect(notices).toEqual([])
  })

  it('tells apart blocks that were computed in other ways, after another past, or by another model', async () => {
    const store = open()
    const block = blockOf(1)
    const otherWays = { ...block, provenance: block.provenance.map(flags => flags ^ 1) }
    await store.write(block)
    await store.write(otherWays)
    expect((await store.find(PRINT, block.ids)).sort()).toEqual([blockName(block), blockName(otherWays)].sort())
    expect(await store.find(blockName(block), block.ids)).toEqual([])
    expect(await open({ fingerprint: 'e'.repeat(32) }).find(PRINT, block.ids)).toEqual([])
  })

  it('misses a file with any byte changed, and removes it', async () => {
    const block = blockOf(2, PRINT, 300)
    const name = blockName(block)
    const whole = await encodeBlock(block)
    const rng = new Rng(3)
    for (let at = 0; at < whole.length; at += 1 + rng.below(9)) {
      await open().write(block)
      const damaged = Uint8Array.from(whole)
      damaged[at] = (damaged[at] as number) ^ (1 << rng.below(8))
      await nodeFs.writeFile(pathOf(name), damaged)
      expect(await open().read(name), `byte ${at}`).toBeNull()
      expect(existsSync(pathOf(name))).toBe(false)
    }
    expect(notices.length).toBeGreaterThan(100)
    expect(new Set(notices.map(n => n.replace(/.*\((.*)\).*/, '$1')))).toEqual(
      new Set(['its checksum is wrong', 'it does not begin with LKBLOCK1']),
    )
  })

  it('misses files that are cut short, empty, or another block under its name', async () => {
    const [block, other] = [blockOf(4), blockOf(5)]
    const name = blockName(block)
    const whole = await encodeBlock(block)
    for (const bytes of [
      whole.subarray(0, 0),
      whole.subarray(0, 43),
      whole.subarray(0, -1),
      await encodeBlock(other),
    ]) {
      await open().write(block)
      await nodeFs.writeFile(pathOf(name), bytes)
      expect(await checkBlock(place(), (await listBlocks(place()))[0] as never)).toMatch(/bytes|check|another/)
      expect(await open().read(name)).toBeNull()
    }
    expect(notices.at(-1)).toMatch(/damaged \(it is block [0-9a-f]{32}-[0-9a-f]{16} under another name\)/)
  })

  it('keeps to its bytes, of all models together, and forgets the longest unused', async () => {
    const size = (await encodeBlock(blockOf(1))).length
    const store = open({ maxBytes: 20 * size })
    const other = open({ maxBytes: 20 * size, fingerprint: 'e'.repeat(32) })
    const blocks = Array.from({ length: 60 }, (_, i) => blockOf(100 + i))
    for (const [i, block] of blocks.entries()) {
      await (i % 2 === 0 ? store : other).write(block)
      const path = (await listBlocks(place())).find(f => f.name === blockName(block))?.path as string
      await nodeFs.utimes(join(folder, path), 1000 + i, 1000 + i)
      // The very first one is used all the time.
      await store.touch([blockName(blocks[0] as StoredBlock)])
      const bytes = (await listBlocks(place())).reduce((n, f) => n + f.bytes, 0)
      expect(bytes).toBeLessThanOrEqual(20 * size)
    }
    expect(await store.read(blockName(blocks[0] as StoredBlock))).not.toBeNull()
    expect(await store.read(blockName(blocks[2] as StoredBlock))).toBeNull()
    expect(await store.read(blockName(blocks[58] as StoredBlock))).not.toBeNull()
    expect(notices).toEqual([])
  })

  it('forgets the ends of texts before their beginnings', async () => {
    const store = open()
    const text = Array.from({ length: 4 }, (_, i) => blockOf(200 + i))
    for (const block of text) await store.write(block)
    await store.touch(text.map(blockName))
    const oldestFirst = (await listBlocks(place())).sort((a, b) => a.usedAt - b.usedAt)
    expect(oldestFirst.map(({ name }) => name)).toEqual(text.map(blockName).toReversed())
  })

  it('goes on without the disk when it is full, and leaves nothing half done', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    const fs = {
      ...nodeFs,
      open: async (...args: Parameters<typeof nodeFs.open>) => {
        const file = await nodeFs.open(...args)
        file.writeFile = async data => {
          await file.write((data as Uint8Array).subarray(0, 100))
          throw full
        }
        return file
      },
    }
    const store = open({ place: new DiskPlace(folder, fs) })
    expect(await store.write(blockOf(6))).toBe(false)
    expect(await store.write(blockOf(7))).toBe(false)
    expect(notices).toEqual([expect.stringMatching(/could not be kept in .*: ENOSPC: no space left on device/)])
    expect(await listBlocks(place())).toEqual([])
    expect(await store.find(PRINT, blockOf(6).ids)).toEqual([])
    expect(await open().write(blockOf(6))).toBe(true)
  })

  it.skipIf(process.getuid?.() === 0)('goes on where it may not write', async () => {
    await nodeFs.chmod(folder, 0o500)
    expect(await open().write(blockOf(8))).toBe(false)
    expect(notices).toEqual([expect.stringMatching(/EACCES/)])
  })
})

describe('a writer that is killed', () => {
  const KILLS = Number(process.env.LATENTKIT_KILLS ?? 20)
  const WRITER = new URL('./crash-writer.mjs', import.meta.url).pathname

  it(`${KILLS} times loses no block that it said was kept, while others read`, {
    timeout: 30_000 * KILLS,
  }, async () => {
    const rng = new Rng(9)
    const store = open()
    let kept = 0
    let reads = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, [WRITER, folder, PRINT, String(kept)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const closed = new Promise<void>(resolve => child.on('close', () => resolve()))
      let said = ''
      // However slow the disk is: behind its first line, or one to three kept blocks.
      const lines = 1 + rng.below(4)
      await new Promise<void>(resolve => {
        child.stdout.on('data', (data: Buffer) => {
          said += data.toString()
          if (said.split('\n').length > lines) resolve()
        })
      })
      const until = performance.now() + rng.below(25)
      do {
        // Blocks that are being written now, and older ones.
        for (const n of [kept + rng.below(40), rng.below(kept + 1)]) {
          const block = blockOf(n)
          const read = await store.read(blockName(block))
          if (read) expect(read).toEqual(block)
          reads += read ? 1 : 0
        }
      } while (performance.now() < until)
      child.kill('SIGKILL')
      await closed
      for (const line of said.split('\n').slice(0, -1)) {
        const n = Number(line)
        if (n < 0) continue
        expect(await store.read(blockName(blockOf(n))), `block ${n} after kill ${kill}`).toEqual(blockOf(n))
        kept = Math.max(kept, n + 1)
      }
    }
    expect(kept).toBeGreaterThan(KILLS)
    expect(reads).toBeGreaterThan(0)
    expect(notices).toEqual([])
    for (const file of await listBlocks(place())) {
      if (file.name !== null) expect(await checkBlock(place(), file)).toBeNull()
    }
  })
})
