/**
 * Timelines that share blocks, against a model that knows every row: a row holds two hashes, one of the ids up to it and
 * one of ids and provenance, so that a row in the wrong place or of another past shows.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cacheLayout } from '../../src/cache/layout.ts'
import { BlockPool, CacheFullError } from '../../src/cache/pool.ts'
import { PrefixTree } from '../../src/cache/prefix-tree.ts'
import { SequenceCache } from '../../src/cache/sequence-cache.ts'
import { type SharedPast, Timeline } from '../../src/engine/past/timeline.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { type RowRules, rowProvenance } from '../../src/nn/provenance.ts'
import { tensorAt } from '../../src/tensor/tensor.ts'

const BLOCK = 4
const CONTEXT = 64
const RULES: RowRules = { latent: true, ropeLimit: Number.POSITIVE_INFINITY }
const SEGMENTS = [
  { name: 'latent', heads: 1, width: 1, dtype: 'f32' },
  { name: 'ropeKey', heads: 1, width: 1, dtype: 'f32' },
] as const
const layoutOf = (windows: readonly (number | null)[], blockTokens: number) =>
  cacheLayout(
    windows.map(window => ({ segments: SEGMENTS, window })),
    blockTokens,
  )
/** 8 bytes a row: a global group of one layer, and where there is a window one of two layers. */
const WINDOWS = { global: [null], windowed: [null, 9, 9] } as const

type Path = 'expanded' | 'absorbed' | undefined

function chain(parts: readonly number[]): number[] {
  let hash = 1
  return parts.map(part => (hash = (Math.imul(hash ^ (part + 1), 0x9e3779b1) >>> 8) & 0xffffff))
}

class World {
  readonly kernels = createReferenceKernels()
  readonly #base: number
  readonly pool: BlockPool
  readonly tree: PrefixTree
  readonly live: { timeline: Timeline; ids: number[]; provenance: number[] }[] = []
  readonly #windows: readonly (number | null)[]
  readonly #past: SharedPast

  constructor(windows: readonly (number | null)[], maxBytes: number, maxKeptBytes: number) {
    this.#windows = windows
    this.#base = this.kernels.memory.allocatedBytes
    this.pool = new BlockPool(this.kernels, layoutOf(windows, BLOCK), { maxBytes, maxKeptBytes })
    this.tree = new PrefixTree(this.pool)
    const shift = () => Promise.reject(new Error('rows do not move here'))
    this.#past = { rules: RULES, prefixes: this.tree, mover: { shift } }
  }

  open(): void {
    const cache = new SequenceCache(this.kernels, this.pool, CONTEXT)
    this.live.push({ timeline: new Timeline(cache, this.#past), ids: [], provenance: [] })
  }

  /** What a prompt does: stands on what is there, and computes the rest. Says how many rows it stood on. */
  async prompt(which: number, ids: readonly number[], options: { strict: boolean; path: Path }): Promise<number> {
    const one = this.live[which] as World['live'][number]
    const { strict, path } = options
    const { rows, extent } = one.timeline.reuse(ids, { strict, ...(path && { path }) })
    expect(rows).toBeLessThan(ids.length)
    expect(one.timeline.cache.length).toBe(rows)
    // What it stands on was somebody's: the ids are its own, and their provenance is told by the rows themselves.
    one.ids = ids.slice(0, rows)
    one.provenance = [...(await this.waysOf(which, one.ids))]
    const cold = rowProvenance(RULES, 0, ids.length, { start: 0, end: ids.length }, path)
    if (strict) expect(extent.start).toBe(0)
    if (extent.start === 0)
      for (let i = 0; i < rows; i++) expect((one.provenance[i] as number) & 1).toBe((cold[i] as number) & 1)
    await this.#run(which, ids.slice(rows), extent, path)
    return rows
  }

  async generate(which: number, ids: readonly number[]): Promise<void> {
    for (const id of ids) await this.#run(which, [id], null, undefined)
  }

  async #run(which: number, tokens: readonly number[], prompt: { start: number; end: number } | null, path: Path) {
    const one = this.live[which] as World['live'][number]
    const { cache } = one.timeline
    const before = [cache.length, cache.bytes]
    try {
      cache.reserve(tokens.length)
    } catch (error) {
      if (!(error instanceof CacheFullError)) throw error
      expect([cache.length, cache.bytes]).toEqual(before)
      return
    }
    await cache.settle()
    const position = cache.length
    one.ids.push(...tokens)
    one.provenance.push(...rowProvenance(RULES, position, tokens.length, prompt, path))
    const [idHashes, wayHashes] = this.hashes(one)
    for (let p = position; p < one.ids.length; p++) {
      const flags = one.provenance[p] as number
      for (const address of this.#addresses(which, p)) {
        const row = Float32Array.of(idHashes[p] as number, (wayHashes[p] as number) * 8 + flags)
        this.kernels.memory.upload(tensorAt(address, 'f32', [2]), row)
      }
    }
    cache.commit(tokens, one.provenance.slice(position))
    one.timeline.keepRun(cache.length)
  }

  hashes({ ids, provenance }: { ids: number[]; provenance: number[] }): [number[], number[]] {
    const wayHashes = chain(ids.map((id, i) => id * 8 + (provenance[i] as number)))
    return [chain(ids), wayHashes.map(h => h & 0x1fffff)]
  }

  /** Where the row of a position lies, in every layer whose window has not passed it. */
  #addresses(which: number, position: number): number[] {
    const { cache } = (this.live[which] as World['live'][number]).timeline
    const n = Math.floor(position / BLOCK)
    return cache.blocksAt(n).flatMap((block, group) => {
      if (!block || position < cache.keyStart(group)) return []
      const { layers } = this.pool.layout.groups[group] as (typeof this.pool.layout.groups)[number]
      return layers.map((_, i) => block.memory.address + (i * BLOCK + (position % BLOCK)) * 8)
    })
  }

  async #read(address: number): Promise<readonly [number, number]> {
    const [a, b] = (await this.kernels.memory.read(tensorAt(address, 'f32', [2]))) as Float32Array
    return [a as number, b as number]
  }

  async waysOf(which: number, ids: readonly number[]): Promise<number[]> {
    return Promise.all(ids.map(async (_, p) => (await this.#read(this.#addresses(which, p)[0] as number))[1] & 7))
  }

  /** Every row of every timeline is its own, and every byte is accounted for. */
  async check(): Promise<void> {
    const held = new Set<unknown>()
    let bytes = 0
    for (const [which, one] of this.live.entries()) {
      const { cache } = one.timeline
      expect(cache.length).toBe(one.ids.length)
      const [idHashes, wayHashes] = this.hashes(one)
      for (let p = 0; p < cache.length; p++) {
        const addresses = this.#addresses(which, p)
        const visible = this.#windows.filter(w => w === null || p > cache.length - w)
        expect(addresses.length).toBeGreaterThanOrEqual(visible.length)
        for (const address of addresses) {
          const row = await this.#read(address)
          expect(row).toEqual([idHashes[p], (wayHashes[p] as number) * 8 + (one.provenance[p] as number)])
        }
      }
      for (let n = 0; n * BLOCK < CONTEXT; n++) {
        for (const block of cache.blocksAt(n)) {
          if (!block || held.has(block)) continue
          held.add(block)
          bytes += block.memory.shape[0] as number
        }
      }
    }
    expect(this.pool.bytes).toBe(bytes)
    expect(this.kernels.memory.allocatedBytes - this.#base).toBe(this.pool.allocatedBytes)
  }

  end(): void {
    for (const { timeline } of this.live.splice(0)) timeline.dispose()
    expect(this.pool.bytes).toBe(0)
    this.pool.dispose()
    expect([this.pool.keptBytes, this.pool.allocatedBytes, this.tree.size]).toEqual([0, 0, 0])
    expect(this.kernels.memory.allocatedBytes).toBe(this.#base)
    this.kernels.dispose()
  }
}

const id = fc.nat(1)
const which = fc.nat(20)
const path = fc.constantFrom<Path>(undefined, undefined, 'expanded', 'absorbed')
const command = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('prompt' as const),
      which,
      /** Of its own past, or of another's. */
      of: which,
      keep: fc.nat(CONTEXT),
      more: fc.array(id, { minLength: 1, maxLength: 14 }),
      strict: fc.boolean(),
      path,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('generate' as const), which, ids: fc.array(id, { maxLength: 9 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fork' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('park' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
)

describe('timelines that share blocks', () => {
  for (const [name, windows] of Object.entries(WINDOWS)) {
    it(`hold their own rows and count every byte, whatever is done (${name})`, async () => {
      const blocks = fc.integer({ min: 8, max: 60 })
      const commands = fc.array(command, { maxLength: 40, size: 'max' })
      const seen = { reused: 0 }
      await fc.assert(
        fc.asyncProperty(blocks, fc.oneof(fc.nat(6), fc.nat(40)), commands, async (max, kept, list) => {
          const world = new World(windows, max * BLOCK * 8 * 2, kept * BLOCK * 8)
          for (const c of list) {
            const at = 'which' in c ? c.which % Math.max(1, world.live.length) : 0
            if (c.do === 'open') world.open()
            else if (c.do === 'evict') world.pool.evictAll()
            else if (world.live.length === 0) continue
            else if (c.do === 'prompt') {
              const past = world.live[c.of % world.live.length]?.ids ?? []
              const ids = [...past.slice(0, c.keep), ...c.more].slice(0, CONTEXT)
              seen.reused += await world.prompt(at, ids, c)
            } else if (c.do === 'generate') {
              const room = CONTEXT - (world.live[at]?.ids.length ?? 0)
              await world.generate(at, c.ids.slice(0, room))
            } else if (c.do === 'fork') {
              const { timeline, ids, provenance } = world.live[at] as World['live'][number]
              world.live.push({ timeline: timeline.fork(), ids: [...ids], provenance: [...provenance] })
            } else if (c.do === 'park') {
              const one = world.live[at] as World['live'][number]
              one.timeline.truncate(0)
              one.ids = []
              one.provenance = []
            } else world.live.splice(at, 1)[0]?.timeline.dispose()
            await world.check()
          }
          world.end()
        }),
        { numRuns: 150 },
      )
      expect(seen.reused).toBeGreaterThan(1000)
    })
  }

  it('200 forks of 4,096 tokens cost one partial block each when they go on, and nothing before', async () => {
    const kernels = createReferenceKernels()
    const layout = layoutOf([null], 64)
    const pool = new BlockPool(kernels, layout)
    const first = new SequenceCache(kernels, pool, 8192)
    first.reserve(4090)
    first.commit(Array(4090).fill(1), Array(4090).fill(0))
    const whole = pool.bytes
    expect(whole).toBe(64 * 64 * 8)
    const forks = Array.from({ length: 200 }, () => first.fork())
    expect(pool.bytes).toBe(whole)
    for (const fork of forks) {
      fork.reserve(1)
      await fork.settle()
      fork.commit([1], [0])
    }
    expect(pool.bytes).toBe(whole + 200 * 64 * 8)
    for (const fork of forks) fork.dispose()
    expect(pool.bytes).toBe(whole)
    first.dispose()
    expect(pool.bytes).toBe(0)
    kernels.dispose()
  })
})
