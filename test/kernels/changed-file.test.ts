/** Weights that are read where their file is mapped, while somebody else cuts, overwrites or replaces that file. */
import { spawnSync } from 'node:child_process'
import { renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openFile } from '../../src/checkpoint/source/file-source.ts'
import { ModelFileChangedError } from '../../src/errors.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Weight, WeightSource } from '../../src/kernels/contract/weights.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { tempFolder } from '../support/temp-folder.ts'

const missing = nativeUnavailable()
const ADDON = fileURLToPath(new URL('../../build/latentkit.node', import.meta.url))

/** 4 MB: many pages, several units. */
const [ROWS, COLS] = [1000, 1024]

function numbers(value: number): Uint8Array {
  return new Uint8Array(new Float32Array(ROWS * COLS).fill(value).buffer)
}

async function ones(path: string): Promise<WeightSource> {
  const source = await openFile(path)
  return { name: 'w', dtype: 'f32', rows: ROWS, cols: COLS, bytes: { source, offset: 0, length: 4 * ROWS * COLS } }
}

function writeOnes(): string {
  const path = join(tempFolder(), 'weights.bin')
  writeFileSync(path, numbers(1))
  // Long ago: a write in the same tick of the clock would not show.
  utimesSync(path, 1, 1)
  return path
}

/** A product with a vector of ones: every element is COLS. */
class Product {
  readonly #k: Kernels
  readonly #w: Weight
  readonly #x: Tensor
  readonly #y: Tensor

  constructor(k: Kernels, w: Weight) {
    this.#k = k
    this.#w = w
    this.#x = k.memory.alloc('f32', [1, COLS])
    this.#y = k.memory.alloc('f32', [1, ROWS])
    k.memory.upload(this.#x, new Float32Array(COLS).fill(1))
  }

  async run(): Promise<number[]> {
    this.#k.matmul(this.#y, this.#x, this.#w)
    await this.#k.submit()
    return [...new Set(await this.#k.memory.read(this.#y))]
  }
}

describe.skipIf(missing)(missing ? `a mapped file that changes (${missing})` : 'a mapped file that changes', () => {
  const withKernels = async (threads: number, run: (k: Kernels) => Promise<void>) => {
    const k = await createNativeKernels({ threads })
    try {
      await run(k)
    } finally {
      k.dispose()
    }
  }

  for (const threads of [1, 2, 5]) {
    for (const left of [0, 4096, 4 * ROWS * COLS - 4096, 4 * ROWS * COLS - 1]) {
      it(`cut to ${left} bytes: no list gives a result any more (${threads} threads)`, () =>
        withKernels(threads, async k => {
          const path = writeOnes()
          const product = new Product(k, await k.prepare(await ones(path)))
          expect(await product.run()).toEqual([COLS])
          expect(k.failure).toBe(null)
          truncateSync(path, left)
          await expect(product.run()).rejects.toThrow(ModelFileChangedError)
          expect(k.failure).toMatchObject({ code: 'model_file_changed' })
          expect(k.failure?.message).toContain(path)
          // It stays so, whatever becomes of the file.
          writeFileSync(path, numbers(1))
          await expect(product.run()).rejects.toBe(k.failure)
          const x = k.memory.alloc('f32', [1, 4])
          k.copy(x, x)
          await expect(k.submit()).rejects.toBe(k.failure)
        }))
    }
  }

  it('another kernel set with another file goes on', () =>
    withKernels(2, async a =>
      withKernels(2, async b => {
        const [cut, whole] = [writeOnes(), writeOnes()]
        const ofCut = new Product(a, await a.prepare(await ones(cut)))
        const ofWhole = new Product(b, await b.prepare(await ones(whole)))
        truncateSync(cut, 10)
        await expect(ofCut.run()).rejects.toThrow(cut)
        expect(await ofWhole.run()).toEqual([COLS])
        expect(b.failure).toBe(null)
      }),
    ))

  it('a second mapping of the same file is told as well', () =>
    withKernels(1, async a =>
      withKernels(2, async b => {
        const path = writeOnes()
        const products = [
          new Product(a, await a.prepare(await ones(path))),
          new Product(b, await b.prepare(await ones(path))),
        ]
        truncateSync(path, 10)
        for (const product of products) await expect(product.run()).rejects.toThrow(ModelFileChangedError)
      }),
    ))

  it('overwritten in place by as many bytes', () =>
    withKernels(2, async k => {
      const path = writeOnes()
      const product = new Product(k, await k.prepare(await ones(path)))
      writeFileSync(path, numbers(2), { flag: 'r+' })
      await expect(product.run()).rejects.toThrow(ModelFileChangedError)
    }))

  it('replaced by renaming another: the old one is still there', () =>
    withKernels(2, async k => {
      const path = writeOnes()
      const product = new Product(k, await k.prepare(await ones(path)))
      const other = `${path}.new`
      writeFileSync(other, numbers(2))
      renameSync(other, path)
      expect(await product.run()).toEqual([COLS])
      expect(k.failure).toBe(null)
    }))

  it.each(['cut', 'overwritten'])('%s between its header and its weights', how =>
    withKernels(2, async k => {
      const path = writeOnes()
      const source = await ones(path)
      if (how === 'cut') truncateSync(path, 4096)
      else writeFileSync(path, numbers(2), { flag: 'r+' })
      await expect(k.prepare(source)).rejects.toThrow(ModelFileChangedError)
      // Only this file is refused.
      expect(await new Product(k, await k.prepare(await ones(writeOnes()))).run()).toEqual([COLS])
    }),
  )

  /** Blocks of 34 bytes with 32 codes: packed into the core's own memory. */
  async function blocks(path: string): Promise<WeightSource> {
    const source = await openFile(path)
    return { name: 'w', dtype: 'q8_0', rows: ROWS, cols: 1024, bytes: { source, offset: 0, length: ROWS * 32 * 34 } }
  }

  it('what has been packed needs its file no more', () =>
    withKernels(2, async k => {
      const path = join(tempFolder(), 'blocks.bin')
      writeFileSync(path, new Uint8Array(ROWS * 32 * 34).fill(1))
      const product = new Product(k, await k.prepare(await blocks(path)))
      const before = await product.run()
      truncateSync(path, 0)
      expect(await product.run()).toEqual(before)
    }))

  it('cut while it is packed', () =>
    withKernels(2, async k => {
      const path = join(tempFolder(), 'blocks.bin')
      writeFileSync(path, new Uint8Array(ROWS * 32 * 34).fill(1))
      const source = await blocks(path)
      await k.prepare(source)
      truncateSync(path, 4096)
      await expect(k.prepare(source)).rejects.toThrow(ModelFileChangedError)
    }))

  /** What becomes of a process that maps a file, then runs `then`; `first` runs before the core is loaded. */
  function processWith(first: string, then: string): { status: number | null; signal: string | null; stdout: string } {
    const path = writeOnes()
    const code = `
      ${first}
      const addon = require(${JSON.stringify(ADDON)})
      const [instance] = addon.open(1, '')
      addon.map(instance, ${JSON.stringify(path)})
      ${then}`
    return spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  }

  it('a bus error that is not of our files is left to whoever handled it', () => {
    const send = "process.kill(process.pid, 'SIGBUS'); setTimeout(() => console.log('lives'), 50)"
    expect(processWith('', send)).toMatchObject({ signal: 'SIGBUS', stdout: '' })
    const handled = processWith("process.on('SIGBUS', () => console.log('handled'))", send)
    expect(handled).toMatchObject({ status: 0, stdout: 'handled\nlives\n' })
  })

  it('the handler outlives the thread that loaded the core', () => {
    const code = `
      const { Worker } = require('node:worker_threads')
      const worker = new Worker(${JSON.stringify(`
        const addon = require(${JSON.stringify(ADDON)})
        addon.map(addon.open(1, '')[0], ${JSON.stringify(writeOnes())})`)}, { eval: true })
      worker.on('exit', () => setTimeout(() => process.kill(process.pid, 'SIGBUS'), 20))`
    expect(spawnSync(process.execPath, ['-e', code])).toMatchObject({ signal: 'SIGBUS' })
  })
})
