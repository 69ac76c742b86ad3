import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { CheckpointError, OptionError, OutOfMemoryError } from '../../src/errors.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { WeightSource } from '../../src/kernels/contract/weights.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import type { ByteSource } from '../../src/tensor/bytes.ts'
import { tempFolder } from '../support/temp-folder.ts'

const missing = nativeUnavailable()
const ADDON = fileURLToPath(new URL('../../build/latentkit.node', import.meta.url))

/** A file of f32 numbers 0, 1, 2 .., `before` bytes into it; counts what is read of it. */
function fileSource(before: number, count: number, claimed = count) {
  const path = join(tempFolder(), 'weights.bin')
  const bytes = new Uint8Array(before + 4 * count)
  const numbers = Float32Array.from({ length: count }, (_, i) => i)
  bytes.set(new Uint8Array(numbers.buffer), before)
  writeFileSync(path, bytes)
  const reads: number[] = []
  const source: ByteSource = {
    name: 'weights.bin',
    path,
    size: bytes.length,
    read: async (offset, length) => {
      reads.push(length)
      return bytes.slice(offset, offset + length)
    },
  }
  return { source, reads, range: { source, offset: before, length: 4 * claimed } }
}

async function firstColumn(k: Kernels, source: WeightSource): Promise<number[]> {
  const w = await k.prepare(source)
  const x = k.memory.alloc('f32', [1, source.cols])
  const y = k.memory.alloc('f32', [1, source.rows])
  k.memory.upload(
    x,
    Float32Array.from({ length: source.cols }, (_, i) => (i === 0 ? 1 : 0)),
  )
  k.matmul(y, x, w)
  await k.submit()
  return [...(await k.memory.read(y))]
}

describe.skipIf(missing)(missing ? `the addon (${missing})` : 'the addon', () => {
  const withKernels = async (run: (k: Kernels) => Promise<void>) => {
    const k = await createNativeKernels({ threads: 2 })
    try {
      await run(k)
    } finally {
      k.dispose()
    }
  }

  it('maps weights and does not count them', () =>
    withKernels(async k => {
      const { range, reads } = fileSource(8, 12)
      const before = k.memory.allocatedBytes
      const w = await k.prepare({ name: 'w', dtype: 'f32', rows: 3, cols: 4, bytes: range })
      expect(k.memory.allocatedBytes).toBe(before)
      expect(reads).toEqual([])
      expect(w).toMatchObject({ name: 'w', dtype: 'f32', rows: 3, cols: 4 })
      expect(await firstColumn(k, { name: 'w', dtype: 'f32', rows: 3, cols: 4, bytes: range })).toEqual([0, 4, 8])
    }))

  it('copies what is not aligned, and what is turned', () =>
    withKernels(async k => {
      const odd = fileSource(6, 12)
      expect(await firstColumn(k, { name: 'w', dtype: 'f32', rows: 3, cols: 4, bytes: odd.range })).toEqual([0, 4, 8])
      expect(odd.reads).toEqual([48])
      const turned = fileSource(8, 12)
      const source = { name: 'w', dtype: 'f32', rows: 3, cols: 4, bytes: turned.range, transposed: true } as const
      expect(await firstColumn(k, source)).toEqual([0, 1, 2])
      expect(turned.reads).toEqual([48])
    }))

  it('reads what it copies in pieces', () =>
    withKernels(async k => {
      const rows = 700
      const cols = 5000
      const turned = fileSource(8, rows * cols)
      const source = { name: 'w', dtype: 'f32', rows, cols, bytes: turned.range, transposed: true } as const
      expect((await firstColumn(k, source)).slice(0, 3)).toEqual([0, 1, 2])
      expect(turned.reads.length).toBe(2)
      expect(Math.max(...turned.reads)).toBeLessThanOrEqual(8 << 20)
      // The piece is given back.
      expect(k.memory.allocatedBytes).toBe(4 * (rows * cols + cols + rows))
    }))

  it('refuses a file that ends before the tensor', () =>
    withKernels(async k => {
      const { range } = fileSource(8, 12, 16)
      const prepared = k.prepare({ name: 'w', dtype: 'f32', rows: 4, cols: 4, bytes: range })
      await expect(prepared).rejects.toThrow(CheckpointError)
      await expect(prepared).rejects.toThrow(/56 bytes.*8 to 72/)
    }))

  it('reads a file that cannot be mapped', () =>
    withKernels(async k => {
      const { range, source } = fileSource(8, 12)
      const bytes = { ...range, source: { ...source, path: join(tempFolder(), 'gone') } }
      expect(await firstColumn(k, { name: 'w', dtype: 'f32', rows: 3, cols: 4, bytes })).toEqual([0, 4, 8])
    }))

  it('names the instruction set, and refuses one that is not there', async () => {
    const best = await createNativeKernels({ threads: 1 })
    const { isa, numerics } = best.info
    expect(numerics).toBe(isa === 'amx' ? 'native-avx512bf16' : `native-${isa}`)
    best.dispose()
    const portable = await createNativeKernels({ threads: 1, isa: 'portable' })
    expect(portable.info).toEqual({ name: 'native', isa: 'portable', threads: 1, numerics: 'native-portable' })
    portable.dispose()
    await expect(createNativeKernels({ isa: 'mmx' })).rejects.toThrow(OptionError)
    await expect(createNativeKernels({ threads: 0 })).rejects.toThrow(OptionError)
  })

  it('says so when there is no memory', () =>
    withKernels(async k => {
      expect(() => k.memory.alloc('f64', [2 ** 45])).toThrow(OutOfMemoryError)
    }))

  it('several kernel sets live side by side', async () => {
    const sets: Kernels[] = await Promise.all([1, 2, 3].map(threads => createNativeKernels({ threads })))
    const { range } = fileSource(8, 12)
    const source = { name: 'w', dtype: 'f32', rows: 3, cols: 4, bytes: range } as const
    for (const k of sets) expect(await firstColumn(k, source)).toEqual([0, 4, 8])
    const [first, ...others] = sets
    first!.dispose()
    for (const k of others) expect(await firstColumn(k, source)).toEqual([0, 4, 8])
    for (const k of others) k.dispose()
    const foreign = await others[0]!.prepare(source).catch((error: Error) => error.name)
    expect(foreign).toBe('DisposedError')
  })

  it('a worker may end without closing its kernels', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads')
      const addon = require(${JSON.stringify(ADDON)})
      const [instance, isa, threads] = addon.open(3, '')
      const address = addon.allocate(instance, 1000)
      addon.write(address, new Uint8Array([1, 2, 3]))
      const bytes = new Uint8Array(3)
      addon.read(address, bytes)
      parentPort.postMessage({ threads, bytes: [...bytes] })`
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(code, { eval: true })
      // On a busy machine the message may come in the same turn as the end.
      const exited = new Promise(resolve => worker.once('exit', resolve))
      const message = await new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
      expect(message).toEqual({ threads: 3, bytes: [1, 2, 3] })
      expect(await exited).toBe(0)
    }
  })
})
