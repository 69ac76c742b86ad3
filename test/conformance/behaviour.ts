import { join } from 'node:path'
import { expect } from 'vitest'
import { openFile } from '../../src/checkpoint/source/file-source.ts'
import { DisposedError } from '../../src/errors.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Weight } from '../../src/kernels/contract/weights.ts'
import { BF16, encode } from '../../src/quant/halves.ts'
import type { DType, FloatType } from '../../src/tensor/dtype.ts'
import { rowsOf, type Tensor, type TypedArray } from '../../src/tensor/tensor.ts'
import { Rng } from '../support/rng.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { weightSource } from '../support/weights.ts'

type Test = (name: string, run: () => Promise<void>) => void

const SAMPLES: Readonly<Record<DType, TypedArray>> = {
  f32: Float32Array.of(1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1e-45, 7),
  f64: Float64Array.of(2 ** 47 + 1, Math.PI, -0, Number.NaN, 1e300, 7),
  f16: Uint16Array.of(0, 1, 0x7e01, 0xffff, 0x8000, 0x3c00),
  bf16: Uint16Array.of(0, 1, 0x7fc1, 0xffff, 0x8000, 0x3f80),
  e4m3: Uint8Array.of(0, 0x7f, 0xff, 0x80, 1, 0x7e),
  u8: Uint8Array.of(0, 1, 255, 128, 171, 7),
  i32: Int32Array.of(0, -1, 2 ** 31 - 1, -(2 ** 31), 5, 7),
}

/** What the contract promises around the operations: memory, weights, errors, the end. */
export function runBehaviour(test: Test, kernels: () => Kernels, make: () => Promise<Kernels>): void {
  test('memory is zeroed, aligned to 64 bytes and counted', async () => {
    const k = kernels()
    const before = k.memory.allocatedBytes
    const dirty = k.memory.alloc('u8', [3000])
    k.memory.upload(dirty, new Uint8Array(3000).fill(0xab))
    expect(k.memory.allocatedBytes - before).toBeGreaterThanOrEqual(3000)
    k.memory.free(dirty)
    expect(k.memory.allocatedBytes).toBe(before)
    for (const n of [1, 750, 0]) {
      const t = k.memory.alloc('f32', [n])
      expect(t.address % 64).toBe(0)
      expect(await k.memory.read(t)).toEqual(new Float32Array(n))
      k.memory.free(t)
    }
    expect(k.memory.allocatedBytes).toBe(before)
  })

  for (const [dtype, data] of Object.entries(SAMPLES) as [DType, TypedArray][]) {
    test(`${dtype} goes in and comes out bit by bit`, async () => {
      const k = kernels()
      const t = k.memory.alloc(dtype, [3, 2])
      k.memory.upload(t, data)
      expect(bytes(await k.memory.read(t))).toEqual(bytes(data))
      expect(bytes(await k.memory.read(rowsOf(t, 1, 1)))).toEqual(bytes(data.slice(2, 4)))
      k.memory.upload(rowsOf(t, 2, 1), data.slice(0, 2))
      expect(bytes(await k.memory.read(rowsOf(t, 2, 1)))).toEqual(bytes(data.slice(0, 2)))
      k.memory.free(t)
    })
  }

  test('blocks have ids of their own, which are given out again', async () => {
    const k = kernels()
    const before = k.memory.allocatedBytes
    const blocks = Array.from({ length: 700 }, () => k.memory.allocBlock(40))
    expect(new Set(blocks.map(b => b.id)).size).toBe(700)
    for (const { id } of blocks) expect(id).toBeGreaterThan(0)
    for (const block of blocks) k.memory.freeBlock(block)
    expect(k.memory.allocatedBytes).toBe(before)
    const again = k.memory.allocBlock(40)
    expect(await k.memory.read(again.memory)).toEqual(new Uint8Array(40))
    k.memory.freeBlock(again)
  })

  test('upload refuses the wrong length and the wrong kind', async () => {
    const k = kernels()
    const t = k.memory.alloc('f32', [4])
    expect(() => k.memory.upload(t, new Float32Array(3))).toThrow(RangeError)
    expect(() => k.memory.upload(t, new Float64Array(4))).toThrow(RangeError)
    expect(await k.memory.read(t)).toEqual(new Float32Array(4))
    k.memory.free(t)
  })

  test('a weight says what it is', async () => {
    const source = weightSource('layers.3.w', 'bf16', 2, 3, new Uint16Array(6))
    expect(await kernels().prepare(source)).toMatchObject({
      name: 'layers.3.w',
      dtype: 'bf16',
      rows: 2,
      cols: 3,
    })
    const experts = [source, source, source, source]
    expect(await kernels().prepareExperts(experts)).toMatchObject({ experts: 4, rows: 2, cols: 3 })
  })

  test('weights of a file give the bits of weights in memory, wherever they lie in it', async () => {
    const k = kernels()
    const rng = new Rng('file')
    const [rows, cols] = [21, 34]
    const values = rng.normals(rows * cols)
    const kinds = { f32: values, bf16: Uint16Array.from(values, x => encode(x, BF16)), e4m3: rng.bytes(rows * cols) }
    const x = k.memory.alloc('f32', [3, cols])
    k.memory.upload(x, rng.normals(3 * cols))
    for (const [dtype, data] of Object.entries(kinds) as [FloatType, TypedArray][]) {
      const inMemory = weightSource('w', dtype, rows, cols, data)
      const reference = await productWith(k, x, await k.prepare(inMemory))
      for (const offset of [0, 64, 68, 7]) {
        const file = new Uint8Array(offset + data.byteLength).fill(0xab)
        file.set(new Uint8Array(data.buffer), offset)
        const source = await openFile(join(tempFolder({ 'model.safetensors': file }), 'model.safetensors'))
        const mapped = { ...inMemory, bytes: { source, offset, length: data.byteLength } }
        expect(await productWith(k, x, await k.prepare(mapped)), `${dtype} at ${offset}`).toEqual(reference)
        if (dtype === 'e4m3') continue
        const vector = await k.prepareVector(mapped)
        expect(await k.memory.read(vector)).toEqual(await k.memory.read(await k.prepareVector(inMemory)))
      }
    }
    k.memory.free(x)
  })

  test('a weight cut short is an error, not a matrix', async () => {
    const source = weightSource('w', 'f32', 3, 4, new Float32Array(11))
    await expect(kernels().prepare(source)).rejects.toThrow(/w/)
  })

  test('small tensors become f32, with a number added', async () => {
    const k = kernels()
    const halves = Uint16Array.of(0x3f80, 0xc000, 0x0001)
    const plain = await k.prepareVector(weightSource('norm', 'bf16', 1, 3, halves))
    expect(plain).toMatchObject({ dtype: 'f32', shape: [3] })
    expect(await k.memory.read(plain)).toEqual(Float32Array.of(1, -2, 2 ** -133))
    const raised = await k.prepareVector(weightSource('norm', 'f32', 3, 1, Float32Array.of(1, -2, 0.1)), 1)
    expect(await k.memory.read(raised)).toEqual(Float32Array.of(2, -1, Math.fround(Math.fround(0.1) + 1)))
  })

  test('wrong shapes are a RangeError that names the operation, and leave nothing behind', async () => {
    const k = kernels()
    const f32 = (...shape: number[]) => k.memory.alloc('f32', shape)
    const w = await k.prepare(weightSource('w', 'f32', 3, 4, new Float32Array(12)))
    const table = await k.prepare(weightSource('w', 'f32', 3, 4, new Float32Array(12)))
    const ids = k.memory.alloc('i32', [2])
    const wrong: Readonly<Record<string, () => void>> = {
      matmul: () => k.matmul(f32(2, 3), f32(2, 5), w),
      embed: () => k.embed(f32(2, 5), table, ids),
      gatherRows: () => k.gatherRows(f32(2, 5), f32(7, 4), ids),
      copy: () => k.copy(f32(2, 5), f32(2, 4)),
      axpby: () => k.axpby(f32(2, 5), 1, f32(2, 4)),
      rmsNorm: () => k.rmsNorm(f32(2, 5), f32(2, 5), f32(4), 1e-6),
      layerNorm: () => k.layerNorm(f32(2, 5), f32(3, 5), f32(5), null, 1e-6),
      activate: () => k.activate(f32(2, 5), f32(2, 4), 'silu'),
      gate: () => k.gate(f32(2, 5), f32(2, 5), f32(2, 4), 'silu'),
      rope: () => k.rope(f32(2, 1, 4), f32(2, 1, 4), f32(2, 6), true),
      probabilities: () => k.probabilities(f32(1, 2, 3), f32(1, 2, 3), f32(2, 2)),
      groupByExpert: () => k.groupByExpert(k.memory.alloc('i32', [7]), k.memory.alloc('i32', [2, 2]), 3),
      combineExperts: () => k.combineExperts(f32(2, 5), f32(4, 4), f32(2, 2), k.memory.alloc('i32', [12]), f32(2, 5)),
    }
    for (const [name, record] of Object.entries(wrong)) {
      const run = async () => {
        record()
        await k.submit()
      }
      const error = await run().then(
        () => null,
        thrown => thrown,
      )
      expect(error, name).toBeInstanceOf(RangeError)
      expect(String(error)).toContain(name)
    }
    const x = f32(1, 4)
    k.memory.upload(x, Float32Array.of(1, 2, 3, 4))
    const y = f32(1, 4)
    k.axpby(y, 2, x)
    await k.submit()
    expect(await k.memory.read(y)).toEqual(Float32Array.of(2, 4, 6, 8))
  })

  test('nothing to submit is no trouble', async () => {
    await kernels().submit()
    await kernels().submit()
  })

  test('what was disposed of refuses', async () => {
    const k = await make()
    const t = k.memory.alloc('f32', [1, 2])
    k.dispose()
    k.dispose()
    expect(k.memory.allocatedBytes).toBe(0)
    expect(() => k.memory.alloc('f32', [1])).toThrow(DisposedError)
    expect(() => k.memory.upload(t, new Float32Array(2))).toThrow(DisposedError)
    await expect(k.memory.read(t)).rejects.toThrow(DisposedError)
    await expect(k.submit()).rejects.toThrow(DisposedError)
    await expect(k.prepare(weightSource('w', 'f32', 1, 1, new Float32Array(1)))).rejects.toThrow(DisposedError)
    expect(() => k.axpby(t, 1, t)).toThrow(DisposedError)
  })

  test('two kernel sets do not share memory', async () => {
    const other = await make()
    const data = new Rng(5).normals(64)
    const a = kernels().memory.alloc('f32', [64])
    const b = other.memory.alloc('f32', [64])
    kernels().memory.upload(a, data)
    expect(await other.memory.read(b)).toEqual(new Float32Array(64))
    other.dispose()
    expect(await kernels().memory.read(a)).toEqual(data)
    kernels().memory.free(a)
  })
}

async function productWith(k: Kernels, x: Tensor, w: Weight): Promise<TypedArray> {
  const y = k.memory.alloc('f32', [x.shape[0]!, w.rows])
  k.matmul(y, x, w)
  await k.submit()
  const result = await k.memory.read(y)
  k.memory.free(y)
  return result
}

function bytes(data: TypedArray): number[] {
  return [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]
}
