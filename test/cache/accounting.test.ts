import { describe, expect, it } from 'vitest'
import { type CacheSegment, cacheLayout } from '../../src/cache/layout.ts'
import { BlockPool, CacheFullError } from '../../src/cache/pool.ts'
import { SequenceCache } from '../../src/cache/sequence-cache.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'

const latent = (width: number, rope: number, dtype: 'f32' | 'f16') =>
  [
    { name: 'latent', heads: 1, width, dtype },
    { name: 'ropeKey', heads: 1, width: rope, dtype },
  ] as const

const layoutOf = (segments: readonly CacheSegment[], windows: readonly (number | null)[], blockTokens: number) =>
  cacheLayout(
    windows.map(window => ({ segments, window })),
    blockTokens,
  )

describe('the cache counts its bytes exactly', () => {
  it('DeepSeek-V3 at 16 bit: tokens x 61 x 576 x 2', () => {
    const kernels = createReferenceKernels()
    let allocated = 0
    const allocBlock = kernels.memory.allocBlock.bind(kernels.memory)
    kernels.memory.allocBlock = bytes => {
      allocated += bytes
      return allocBlock(bytes)
    }
    const layout = layoutOf(latent(512, 64, 'f16'), Array(61).fill(null), 64)
    expect(layout.bytesPerToken).toBe(70_272)
    const pool = new BlockPool(kernels, layout)
    const cache = new SequenceCache(kernels, pool, 1000)
    cache.reserve(100)
    cache.commit(Array(100).fill(1), Array(100).fill(0))
    expect(cache.usedBytes).toBe(100 * 61 * 576 * 2)
    expect(cache.bytes).toBe(2 * 64 * 61 * 576 * 2)
    expect(pool.bytes).toBe(cache.bytes)
    expect(allocated).toBe(128 * 70_272)
    cache.truncate(64)
    expect(cache.bytes).toBe(64 * 70_272)
    cache.dispose()
    expect(pool.bytes).toBe(0)
    kernels.dispose()
  })

  it('a window frees the blocks it has passed, and only those', () => {
    const kernels = createReferenceKernels()
    const layout = layoutOf(latent(3, 2, 'f32'), [null, 10, 10], 4)
    const pool = new BlockPool(kernels, layout)
    const cache = new SequenceCache(kernels, pool, 100)
    for (let n = 1; n <= 40; n++) {
      cache.reserve(1)
      cache.commit(Array(1).fill(1), Array(1).fill(0))
      cache.passWindows()
      // The next query, at position n, sees n - 9 .. n.
      expect(cache.keyStart(1)).toBe(Math.max(0, Math.floor((n - 9) / 4) * 4))
      expect(cache.keyStart(0)).toBe(0)
    }
    // Group 0: 40 tokens, 1 layer. Group 1: positions 28 to 39, 2 layers. 20 bytes a row.
    expect(cache.usedBytes).toBe(40 * 20 + 12 * 2 * 20)
    expect(cache.bytes).toBe(10 * 4 * 20 + 3 * 4 * 2 * 20)
    expect(cache.canTruncate(39)).toBe(true)
    expect(cache.canTruncate(30)).toBe(false)
    expect(() => cache.truncate(30)).toThrow(RangeError)
    cache.truncate(0)
    expect(cache.usedBytes + cache.bytes + pool.bytes).toBe(0)
    kernels.dispose()
  })

  it('a full pool refuses and changes nothing; what is given back can be taken again', () => {
    const kernels = createReferenceKernels()
    const layout = layoutOf(latent(3, 2, 'f32'), [null, 8], 4)
    const block = 4 * 20
    const pool = new BlockPool(kernels, layout, { maxBytes: 5 * block })
    const [a, b] = [new SequenceCache(kernels, pool, 100), new SequenceCache(kernels, pool, 100)]
    a.reserve(8)
    a.commit(Array(8).fill(1), Array(8).fill(0))
    expect(() => b.reserve(5)).toThrow(CacheFullError)
    expect([b.bytes, pool.bytes]).toEqual([0, 4 * block])
    a.truncate(0)
    b.reserve(8)
    expect(pool.bytes).toBe(4 * block)
    expect(() => a.reserve(101)).toThrow(RangeError)
    kernels.dispose()
  })
})
