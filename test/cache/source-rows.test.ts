/** What cross-attention reads of a source: held by all sequences that write from it, in one place, as long as one of them does. */
import { describe, expect, it } from 'vitest'
import { cacheLayout } from '../../src/cache/layout.ts'
import { BlockPool, CacheFullError } from '../../src/cache/pool.ts'
import { SequenceCache } from '../../src/cache/sequence-cache.ts'
import { SourceRows } from '../../src/cache/source-rows.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'

const heads = { name: 'key', heads: 2, width: 4, dtype: 'f32' } as const
/** Two layers of rows of 32 bytes, and what one of them reads of a source, in blocks of 8 tokens. */
const LAYOUT = cacheLayout(
  [
    { segments: [heads], window: null },
    { segments: [heads], window: null },
    { segments: [heads], window: null, ofSource: true },
  ],
  8,
)

function lab(maxBytes = Number.POSITIVE_INFINITY) {
  const kernels = createReferenceKernels()
  const pool = new BlockPool(kernels, LAYOUT, { maxBytes })
  const source = new SourceRows(
    pool,
    Array.from({ length: 11 }, (_, i) => i),
  )
  const cache = new SequenceCache(kernels, pool, 100)
  return { pool, source, cache }
}

describe('rows of a source', () => {
  it('are a group of their own, whose bytes no token of the text has', () => {
    expect(LAYOUT.groups.map(({ ofSource, layers }) => ({ ofSource, layers }))).toEqual([
      { ofSource: false, layers: [0, 1] },
      { ofSource: true, layers: [2] },
    ])
    expect([LAYOUT.bytesPerToken, LAYOUT.sourceBytesPerToken]).toEqual([64, 32])
  })

  it('get blocks with the first rows of a text, and give them back with its last', () => {
    const { pool, source, cache } = lab()
    cache.readFrom(source)
    expect(pool.bytes).toBe(0)
    cache.reserve(1)
    cache.commit([5], [0])
    expect([pool.bytes, source.blockIds().length, cache.blockIds(1).length]).toEqual([8 * 64 + 2 * 8 * 32, 2, 2])
    source.commit()
    expect(cache.bytes).toBe(pool.bytes)
    expect(cache.usedBytes).toBe(64 + 11 * 32)
    cache.truncate(0)
    expect([pool.bytes, source.computed]).toEqual([0, false])
  })

  it('are shared by forks, and stay until the last of them lets go', () => {
    const { pool, source, cache } = lab()
    cache.readFrom(source)
    cache.reserve(1)
    cache.commit([5], [0])
    source.commit()
    const held = pool.bytes
    const fork = cache.fork()
    expect(pool.bytes).toBe(held)
    cache.dispose()
    expect([source.computed, fork.source]).toEqual([true, source])
    expect(pool.bytes).toBe(held)
    fork.dispose()
    expect([pool.bytes, source.computed]).toEqual([0, false])
  })

  it('another source takes the place of one, whose rows of the text are forgotten', () => {
    const { pool, source, cache } = lab()
    cache.readFrom(source)
    cache.reserve(3)
    cache.commit([5, 6, 7], [0, 0, 0])
    cache.readFrom(new SourceRows(pool, [1]))
    expect([cache.length, pool.bytes]).toEqual([0, 0])
  })

  it('a budget that does not hold them is an error, after which nothing is held', () => {
    const { pool, source, cache } = lab(8 * 64 + 8 * 32)
    cache.readFrom(source)
    expect(() => cache.reserve(1)).toThrow(CacheFullError)
    expect(pool.bytes).toBe(0)
    const { pool: small, source: other, cache: text } = lab(2 * 8 * 32)
    text.readFrom(other)
    expect(() => text.reserve(1)).toThrow(CacheFullError)
    expect(small.bytes).toBe(0)
  })
})
