/** Blocks on disk below the blocks in memory: written behind generation, read before a prompt reuses them. */

import type { CacheLayout } from '../../cache/layout.ts'
import { type Block, type BlockPool, CacheFullError } from '../../cache/pool.ts'
import type { BlockOrigin, PrefixNode, PrefixTree, PublishListener } from '../../cache/prefix-tree.ts'
import type { BlockStorage, StoredBlock } from '../../cache/stored/stored-block.ts'
import { OutOfMemoryError } from '../../errors.ts'
import type { KernelMemory } from '../../kernels/contract/memory.ts'
import { type RowRules, rowProvenance } from '../../nn/provenance.ts'
import { type ReuseOptions, rowFits } from './reusable-rows.ts'

export interface DiskTierOptions {
  readonly store: BlockStorage
  readonly pool: BlockPool
  readonly memory: Pick<KernelMemory, 'read' | 'upload'>
  readonly rules: RowRules
}

/** Held in memory for the disk at most; what comes faster is not kept. */
const MAX_WAITING_BYTES = 256 * 2 ** 20
/** Files read at once. */
const READERS = 8

export class DiskTier implements PublishListener {
  readonly #options: DiskTierOptions
  readonly #layout: CacheLayout
  readonly #names = new WeakMap<PrefixNode, string>()
  #writing: Promise<void> = Promise.resolve()
  #waitingBytes = 0

  constructor(options: DiskTierOptions) {
    this.#options = options
    this.#layout = options.pool.layout
  }

  /** Takes note of a new block and writes it behind. */
  published(node: PrefixNode, origin: BlockOrigin): void {
    if (origin === 'disk') return
    const { pool } = this.#options
    const blocks = node.blocks.filter(block => block !== null)
    const bytes = blocks.reduce((n, block) => n + (block.memory.shape[0] as number), 0)
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return
    const groups = [...node.blocks]
    for (const block of blocks) pool.hold(block)
    this.#waitingBytes += bytes
    const written = () => {
      this.#waitingBytes -= bytes
    }
    this.#writing = this.#writing.then(() => this.#write(node, groups)).then(written, written)
  }

  /**
   * Brings what the disk knows of a prompt into the tree, beyond what is there. The blocks are held until the function
   * that is returned is called.
   */
  async load(tree: PrefixTree, ids: readonly number[], options: ReuseOptions, salt: string): Promise<() => void> {
    const held: Block[] = []
    const release = () => {
      // From the end to the start, as sequences do.
      for (const block of held.splice(0).reverse()) this.#options.pool.release(block)
    }
    const { blockTokens } = this.#layout
    const fits = rowFits(this.#options.rules, ids.length, options)
    const { nodes, rows } = tree.longest(ids, options.strict ? fits.exact : fits.near, salt)
    const above = nodes.slice(0, Math.floor(rows / blockTokens))
    for (const node of above) this.#hold(node, held)
    const names = await this.#chain(above, ids, options, salt)
    let parent: PrefixNode | null = above.at(-1) ?? null
    for (let at = 0; at < names.length; at += READERS) {
      const stored = await Promise.all(names.slice(at, at + READERS).map(name => this.#options.store.read(name)))
      for (const block of stored) {
        const node: PrefixNode | null = block && this.#place(tree, parent, block, held, salt)
        if (!node) return release
        parent = node
      }
    }
    void this.#options.store.touch(names)
    return release
  }

  /** Resolves when all that was noted is on disk or has failed to get there, and holds no memory; null: there is nothing. */
  flush(): Promise<void> | null {
    return this.#waitingBytes === 0 ? null : this.#flushed()
  }

  async #flushed(): Promise<void> {
    let writing: Promise<void> | null = null
    while (writing !== this.#writing) {
      writing = this.#writing
      await writing
    }
  }

  /** Names of stored blocks that go on from `above`, for as long as the prompt does. */
  async #chain(
    above: readonly PrefixNode[],
    ids: readonly number[],
    options: ReuseOptions,
    salt: string,
  ): Promise<string[]> {
    const { store, rules } = this.#options
    const { blockTokens } = this.#layout
    const cold = rowProvenance(rules, 0, ids.length, { start: 0, end: ids.length }, options.path)
    const names: string[] = []
    let parent = this.#nameOf(above.at(-1) ?? null, salt)
    for (let n = above.length; (n + 1) * blockTokens <= ids.length; n++) {
      const range = [n * blockTokens, (n + 1) * blockTokens] as const
      const found = await store.find(parent, ids.slice(...range))
      const exact = store.nameOf({ parent, ids: ids.slice(...range), provenance: [...cold.slice(...range)] })
      const near = options.strict ? undefined : found[0]
      const name = found.includes(exact) ? exact : near
      if (name === undefined) break
      names.push(name)
      parent = name
    }
    return names
  }

  /** Null if there is no room or the block is not one of this model's. */
  #place(
    tree: PrefixTree,
    parent: PrefixNode | null,
    { ids, provenance, groups }: StoredBlock,
    held: Block[],
    salt: string,
  ): PrefixNode | null {
    const { pool, memory } = this.#options
    const sizes = this.#layout.groups.map(group => group.blockBytes)
    if (groups.length !== sizes.length || groups.some((g, i) => g && g.length !== sizes[i])) return null
    const blocks: (Block | null)[] = []
    try {
      for (const [group, bytes] of groups.entries()) {
        const block = bytes && pool.take(group)
        blocks.push(block)
        if (block && bytes) memory.upload(block.memory, bytes)
      }
      const node = tree.publish(parent, { ids, provenance, blocks }, 'disk', salt)
      this.#hold(node, held)
      return node
    } catch (error) {
      if (error instanceof CacheFullError || error instanceof OutOfMemoryError) return null
      throw error
    } finally {
      for (const block of blocks) if (block) pool.release(block)
    }
  }

  #hold({ blocks }: PrefixNode, held: Block[]): void {
    for (const block of blocks) {
      if (!block) continue
      this.#options.pool.hold(block)
      held.push(block)
    }
  }

  async #write({ parent: above, salt, ids, provenance }: PrefixNode, blocks: readonly (Block | null)[]): Promise<void> {
    const { store, memory, pool } = this.#options
    const parent = this.#nameOf(above, salt)
    try {
      const groups: (Uint8Array | null)[] = []
      for (const block of blocks) groups.push(block && ((await memory.read(block.memory)) as Uint8Array))
      await store.write({ parent, ids, provenance, groups })
    } finally {
      for (const block of blocks) if (block) pool.release(block)
    }
  }

  /** A salt stands for a block without rows, so that blocks of another have other names. */
  #rootName(salt: string): string {
    const { store } = this.#options
    if (salt === '') return store.fingerprint
    return store.nameOf({ parent: store.fingerprint, ids: [...new TextEncoder().encode(salt)], provenance: [] })
  }

  #nameOf(node: PrefixNode | null, salt: string): string {
    const { store } = this.#options
    if (!node?.parent) return this.#rootName(salt)
    const known = this.#names.get(node)
    if (known !== undefined) return known
    const name = store.nameOf({ parent: this.#nameOf(node.parent, salt), ids: node.ids, provenance: node.provenance })
    this.#names.set(node, name)
    return name
  }
}
