import { describe, expect, it } from 'vitest'
import { cacheLayout } from '../../src/cache/layout.ts'
import { type Block, BlockPool, CacheFullError, type PoolOptions } from '../../src/cache/pool.ts'
import { type PrefixNode, PrefixTree } from '../../src/cache/prefix-tree.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'

const SEGMENTS = [{ name: 'latent', heads: 1, width: 1, dtype: 'f32' }] as const
const BLOCK_BYTES = 4 * 4
const always = () => true

function setup(options: PoolOptions = {}, windows: readonly (number | null)[] = [null]) {
  const kernels = createReferenceKernels()
  const pool = new BlockPool(
    kernels,
    cacheLayout(
      windows.map(window => ({ segments: SEGMENTS, window })),
      4,
    ),
    options,
  )
  const tree = new PrefixTree(pool)
  /** A timeline of full blocks that is done: published, then released from its end. */
  const remember = (ids: readonly number[], flags = 0): PrefixNode[] => {
    const nodes: PrefixNode[] = []
    const held: Block[] = []
    for (let at = 0; at < ids.length; at += 4) {
      const blocks = windows.map((_, group) => pool.take(group))
      held.push(...blocks)
      nodes.push(
        tree.publish(nodes.at(-1) ?? null, { ids: ids.slice(at, at + 4), provenance: Array(4).fill(flags), blocks }),
      )
    }
    for (const block of held.reverse()) pool.release(block)
    return nodes
  }
  return { pool, tree, remember }
}

const ids = (n: number, first = 0) => Array.from({ length: n }, (_, i) => first + i)

describe('the prefix tree', () => {
  it('finds the longest beginning, into the middle of a block', () => {
    const { tree, remember } = setup()
    remember(ids(12))
    remember([...ids(8), 70, 71, 72, 73])
    expect(tree.longest([...ids(11), 99], always).rows).toBe(11)
    expect(tree.longest([...ids(8), 70, 71, 99], always).rows).toBe(10)
    expect(tree.longest([5, 6], always)).toEqual({ nodes: [], rows: 0 })
    expect(tree.size).toBe(4)
  })

  it('goes the way whose rows fit, however long the other is', () => {
    const { tree, remember } = setup()
    remember(ids(8), 0)
    remember(ids(16), 1)
    expect(tree.longest(ids(16), way => way === 0).rows).toBe(8)
    expect(tree.longest(ids(16), always).rows).toBe(16)
    expect(tree.size).toBe(6)
  })

  it('gives one memory to all who computed the same', () => {
    const { pool, tree, remember } = setup()
    const first = remember(ids(8))
    const again = remember(ids(8))
    expect(again).toEqual(first)
    expect(pool.keptBytes).toBe(2 * BLOCK_BYTES)
    expect(tree.size).toBe(2)
  })

  it('forgets the least recently used first, and from its end', () => {
    const { pool, tree, remember } = setup({ maxBytes: 6 * BLOCK_BYTES })
    remember(ids(12))
    remember(ids(12, 100))
    const lengths = () => [tree.longest(ids(12), always).rows, tree.longest(ids(12, 100), always).rows]
    const seen = [lengths()]
    const taken: Block[] = []
    for (let i = 0; i < 4; i++) {
      taken.push(pool.take(0))
      seen.push(lengths())
    }
    expect(seen).toEqual([
      [12, 12],
      [8, 12],
      [4, 12],
      [0, 12],
      [0, 8],
    ])
    expect(tree.size).toBe(2)
    expect(pool.allocatedBytes).toBe(6 * BLOCK_BYTES)
    for (let i = 0; i < 2; i++) taken.push(pool.take(0))
    expect(() => pool.take(0)).toThrow(CacheFullError)
    expect(tree.size).toBe(0)
  })

  it('keeps no more than it may, and never gives up what somebody holds', () => {
    const { pool, tree, remember } = setup({ maxKeptBytes: 2 * BLOCK_BYTES })
    const [node] = remember(ids(8)) as [PrefixNode]
    const block = node.blocks[0] as Block
    pool.hold(block)
    remember(ids(12, 100))
    expect(pool.keptBytes).toBe(2 * BLOCK_BYTES)
    expect(tree.longest(ids(8), always).rows).toBe(4)
    pool.evictAll()
    expect(tree.longest(ids(8), always).rows).toBe(4)
    expect([pool.bytes, pool.keptBytes]).toEqual([BLOCK_BYTES, 0])
    pool.release(block)
    expect([pool.bytes, pool.keptBytes]).toEqual([0, BLOCK_BYTES])
  })

  it('finds what goes on after a window has passed all before it, whatever others began meanwhile', () => {
    const { pool, tree, remember } = setup({}, [6])
    const [, before] = remember(ids(8)) as [PrefixNode, PrefixNode]
    pool.evictAll()
    expect(tree.size).toBe(0)
    remember(ids(4, 100))
    tree.publish(before, { ids: ids(4, 8), provenance: [0, 0, 0, 0], blocks: [pool.take(0)] })
    expect([tree.longest(ids(12), always).rows, tree.longest(ids(4, 100), always).rows]).toEqual([12, 4])
    expect(tree.size).toBe(4)
  })

  it('knows how far a window still has what it needs', () => {
    const { pool, tree } = setup({}, [null, 6])
    const nodes: PrefixNode[] = []
    for (let n = 0; n < 5; n++) {
      // The window has passed blocks 0 and 1 already when they were published.
      const blocks = [pool.take(0), n < 2 ? null : pool.take(1)]
      nodes.push(tree.publish(nodes.at(-1) ?? null, { ids: ids(4, n * 4), provenance: [0, 0, 0, 0], blocks }))
    }
    const match = tree.longest(ids(20), always)
    expect(match.rows).toBe(20)
    // A query at 13 sees 8 to 13; one at 12 would see 7.
    expect([20, 19, 13].map(rows => tree.usableRows(match, rows))).toEqual([20, 19, 13])
    expect([12, 9, 8, 4].map(rows => tree.usableRows(match, rows))).toEqual([0, 0, 0, 0])
  })
})
