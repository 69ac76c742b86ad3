/** Which states a sequence holds, and which it lets go of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cacheLayout, type StatePart } from '../../src/cache/layout.ts'
import { BlockPool, CacheFullError } from '../../src/cache/pool.ts'
import { PrefixTree } from '../../src/cache/prefix-tree.ts'
import { SequenceCache } from '../../src/cache/sequence-cache.ts'
import { SourceRows } from '../../src/cache/source-rows.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'

const BLOCK = 4
const ROWS = { segments: [{ name: 'key', heads: 1, width: 8, dtype: 'f32' as const }], window: null }
const layoutWith = (numbers: number) => {
  const state: StatePart[] = [{ name: 's', numbers }]
  return cacheLayout([ROWS, { segments: [], window: null, state }], BLOCK)
}

describe('the states of a sequence', () => {
  let kernels: Kernels
  beforeAll(() => {
    kernels = createReferenceKernels()
  })
  afterAll(() => kernels.dispose())

  /** Runs `count` tokens. */
  const step = (cache: SequenceCache, count: number) => {
    cache.reserve(count)
    const [before, ...after] = cache.blockIds(1)
    const at = cache.length
    cache.commit(
      Array.from({ length: count }, (_, i) => at + i),
      new Uint8Array(count),
    )
    return { before, after }
  }
  const make = (numbers = 2, options = {}) => {
    const pool = new BlockPool(kernels, layoutWith(numbers), options)
    return { pool, cache: new SequenceCache(kernels, pool, 1000) }
  }

  it('are read from one block and written to others: the last, and those at ends of blocks', () => {
    const { cache } = make()
    const first = step(cache, 6)
    expect(first.before).toBe(0)
    expect(first.after.map(id => id > 0)).toEqual([true, true])
    const second = step(cache, 1)
    expect(second.before).toBe(first.after[1])
    expect(second.after).toHaveLength(1)
    expect(second.after[0]).not.toBe(second.before)
  })

  it('can be gone back to until they are passed', () => {
    const { cache } = make()
    step(cache, 6)
    step(cache, 5)
    expect([11, 10, 8, 7, 6, 5].map(n => cache.reachable(n))).toEqual([11, 8, 8, 6, 6, 0])
    expect(cache.canTruncate(7)).toBe(false)
    cache.truncate(8)
    expect(cache.length).toBe(8)
    cache.passWindows()
    expect([8, 7].map(n => cache.reachable(n))).toEqual([8, 0])
  })

  it('take one block at rest, two in a step', () => {
    const { pool, cache } = make()
    const [rows, states] = pool.layout.groups.map(group => group.blockBytes) as [number, number]
    step(cache, 3)
    cache.passWindows()
    expect(cache.bytes).toBe(rows + states)
    cache.reserve(1)
    expect(cache.bytes).toBe(rows + 2 * states)
    cache.dispose()
    expect(pool.bytes).toBe(0)
  })

  it('are kept at ends of blocks as often as they are as large as the rows between', () => {
    // Rows of a block have 128 bytes, a state three times as much.
    const { cache } = make(96)
    expect(step(cache, 12).after.map(id => id > 0)).toEqual([false, false, true])
    // A step that reads a prompt keeps its last one.
    expect(step(cache, 17).after.map(id => id > 0)).toEqual([false, false, true, true, true])
  })

  it('are done without at ends of blocks where there is no room', () => {
    const layout = layoutWith(2)
    const [rows, states] = layout.groups.map(group => group.blockBytes) as [number, number]
    const { cache } = make(2, { maxBytes: 3 * rows + states })
    expect(step(cache, 10).after.map(id => id > 0)).toEqual([false, false, true])
    expect(() => cache.reserve(1)).toThrow(CacheFullError)
    expect(cache.length).toBe(10)
  })

  it('lie in the tree at ends of blocks, where another sequence begins', () => {
    const { pool, cache } = make()
    const tree = new PrefixTree(pool)
    step(cache, 9)
    const nodes = [tree.publish(null, cache.sharedBlock(0))]
    nodes.push(tree.publish(nodes[0] ?? null, cache.sharedBlock(1)))
    cache.passWindows()
    const match = tree.longest([0, 1, 2, 3, 4, 5, 6, 9], () => true)
    expect([match.rows, tree.usableRows(match, match.rows)]).toEqual([7, 4])
    const other = new SequenceCache(kernels, pool, 1000)
    other.adopt(0, match.nodes.slice(0, 1), 4)
    expect([other.length, other.reachable(4), other.canTruncate(3)]).toEqual([4, 4, false])
    // Without the state its rows are of no use.
    cache.dispose()
    other.dispose()
    pool.evictAll()
    expect(tree.size).toBe(0)
  })

  it('that come to the tree after the rows are told like new blocks', () => {
    const { pool, cache } = make(96)
    const told: unknown[] = []
    const tree = new PrefixTree(pool, { published: ({ blocks }) => told.push(blocks.map(block => block !== null)) })
    step(cache, 12)
    const node = tree.publish(null, cache.sharedBlock(0))
    // Another sequence wanted the state there.
    const other = new SequenceCache(kernels, pool, 1000)
    other.wantState(4)
    step(other, 6)
    expect(tree.publish(null, other.sharedBlock(0))).toBe(node)
    tree.publish(null, other.sharedBlock(0))
    expect(told).toEqual([
      [true, false],
      [true, true],
    ])
  })

  it('go to a fork and to the tree beside a source, whose rows stay held', () => {
    const state: StatePart[] = [{ name: 's', numbers: 2 }]
    const layout = cacheLayout([ROWS, { ...ROWS, ofSource: true }, { segments: [], window: null, state }], BLOCK)
    const pool = new BlockPool(kernels, layout, {})
    const tree = new PrefixTree(pool)
    const source = new SourceRows(pool, [7, 8, 9])
    const cache = new SequenceCache(kernels, pool, 1000)
    cache.readFrom(source)
    step(cache, 6)
    source.commit()
    const fork = cache.fork()
    expect([fork.length, fork.canTruncate(6)]).toEqual([6, true])
    const node = tree.publish(null, cache.sharedBlock(0))
    expect(node.blocks.map(block => block?.group)).toEqual([0, undefined, 2])
    const match = tree.longest([0, 1, 2, 3, 9], () => true)
    expect(tree.usableRows(match, match.rows)).toBe(4)
    cache.adopt(0, match.nodes, 4)
    fork.dispose()
    expect([cache.length, cache.reachable(4), source.computed]).toEqual([4, 4, true])
    cache.dispose()
    expect(source.computed).toBe(false)
  })
})
