/** Sessions in a browser that cannot rename: whenever the tab closes, the older file is there or the new one, whole. */
import { afterEach, expect, it, vi } from 'vitest'
import { sealedFolder } from '../../src/cache/opfs/sealed-opfs.ts'

/** A browser's files without `move`, which a tab may stop writing at any step. */
class Disk {
  readonly files = new Map<string, Uint8Array>()
  /** Changes until the tab closes. */
  left = Number.POSITIVE_INFINITY

  change(): void {
    if (--this.left < 0) throw new Error('the tab is closed')
  }

  folder(path: string): object {
    return {
      kind: 'directory',
      getDirectoryHandle: async (name: string) => this.folder(`${path}${name}/`),
      getFileHandle: async (name: string, { create = false } = {}) => {
        const file = path + name
        if (!this.files.has(file)) {
          if (!create) throw new DOMException(file, 'NotFoundError')
          this.change()
          this.files.set(file, new Uint8Array())
        }
        return this.file(file, name)
      },
      removeEntry: async (name: string) => {
        this.change()
        this.files.delete(path + name)
      },
      values: async function* (this: { disk: Disk }) {
        for (const file of [...this.disk.files.keys()])
          if (file.startsWith(path)) yield { name: file.slice(path.length) }
      }.bind({ disk: this }),
    }
  }

  file(file: string, name: string): object {
    const write = (bytes: Uint8Array, at: number) => {
      this.change()
      const old = this.files.get(file) as Uint8Array
      const grown = new Uint8Array(Math.max(old.length, at + bytes.length))
      grown.set(old)
      grown.set(bytes, at)
      this.files.set(file, grown)
    }
    return {
      kind: 'file',
      name,
      getFile: async () => new File([this.files.get(file) as Uint8Array<ArrayBuffer>], name),
      createSyncAccessHandle: async () => ({
        write: (bytes: Uint8Array, { at = 0 } = {}) => {
          write(bytes, at)
          return bytes.length
        },
        truncate: (size: number) => {
          this.change()
          this.files.set(file, (this.files.get(file) as Uint8Array).slice(0, size))
        },
        flush: () => {},
        close: () => {},
      }),
    }
  }
}

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
    vi.stubGlobal('navigator', { storage: { getDirectory: async () => disk.folder('/') } })
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
