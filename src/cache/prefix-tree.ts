import type { CacheGroup } from './layout.ts'
import type { Block, BlockPool, Keeper } from './pool.ts'
import type { FilledBlock } from './sequence-cache.ts'

/** Who published a block: a sequence that computed it, or the disk it was read from. */
export type BlockOrigin = 'computed' | 'disk'

/**
 * A full block of a text. Rows have the same bits only if ids and provenance are equal, here and in all parents. A group's
 * memory is null after eviction.
 */
export interface PrefixNode extends FilledBlock {
  readonly parent: PrefixNode | null
  /** Whose it is: only sequences with the same salt find it. */
  readonly salt: string
  /** Index of the block in its text, from 0. */
  readonly index: number
}

/** A prefix: the first `rows` rows of a chain of nodes. The last node may be used in part. */
export interface PrefixMatch {
  readonly nodes: readonly PrefixNode[]
  readonly rows: number
}

export interface PublishListener {
  /** A block, or memory of a group that it lacked, is new to the tree; its publisher holds the memory now. */
  published(node: PrefixNode, origin: BlockOrigin): void
}

interface MutableNode extends PrefixNode {
  parent: MutableNode | null
  readonly blocks: (Block | null)[]
  readonly children: Set<MutableNode>
}

/**
 * All published full blocks, as a tree of prefixes: prompts with a common prefix find the same nodes, whichever session
 * computed them. The tree does not hold its blocks; it asks the pool to keep them while there is room. Sequences
 * release their blocks from last to first, so the pool evicts leaves before their parents.
 */
export class PrefixTree {
  readonly #pool: BlockPool
  readonly #listener: PublishListener | null
  /** Parents of first blocks by their salt. Only those that have children. */
  readonly #roots = new Map<string, MutableNode>()

  constructor(pool: BlockPool, listener: PublishListener | null = null) {
    this.#pool = pool
    this.#listener = listener
  }

  get #blockTokens(): number {
    return this.#pool.layout.blockTokens
  }

  /**
   * Publishes a full block that its sequence holds (null for groups whose window has passed it), as a child of the
   * previous block's node. The node returned may have another sequence's memory with the same bits: the caller should
   * use that and release its own. A first block has no previous one: it is found by those who name the same salt.
   */
  publish(
    parent: PrefixNode | null,
    { ids, provenance, blocks }: FilledBlock,
    origin: BlockOrigin = 'computed',
    salt = '',
  ): PrefixNode {
    const above = (parent as MutableNode | null) ?? this.#roots.get(salt) ?? newRoot(salt)
    // If a window passed all blocks above, their nodes were removed while the sequence continued: put them back.
    let top = above
    for (; top.parent; top = top.parent) top.parent.children.add(top)
    this.#putRoot(top)
    let gains = false
    let node = [...above.children].find(child => equal(child.ids, ids) && equal(child.provenance, provenance))
    if (!node) {
      node = {
        parent: above,
        salt: above.salt,
        index: above.index + 1,
        ids,
        provenance,
        blocks: blocks.map(() => null),
        children: new Set(),
      }
      above.children.add(node)
      gains = true
    }
    const keeper = this.#keeperOf(node)
    for (const [group, block] of blocks.entries()) {
      if (!block || node.blocks[group]) continue
      node.blocks[group] = block
      this.#pool.keep(block, keeper)
      gains = true
    }
    if (gains) this.#listener?.published(node, origin)
    return node
  }

  /** The longest prefix of `ids` that was published with this salt and whose rows all satisfy `fits` (flags, position). */
  longest(ids: readonly number[], fits: (flags: number, position: number) => boolean, salt = ''): PrefixMatch {
    const root = this.#roots.get(salt)
    if (!root) return { nodes: [], rows: 0 }
    let best: { readonly node: MutableNode; readonly rows: number } = { node: root, rows: 0 }
    const open: MutableNode[] = [root]
    for (let above = open.pop(); above; above = open.pop()) {
      const start = (above.index + 1) * this.#blockTokens
      for (const node of above.children) {
        const rows = commonRows(node, ids, start, fits)
        if (start + rows > best.rows) best = { node, rows: start + rows }
        if (rows === this.#blockTokens) open.push(node)
      }
    }
    const nodes: MutableNode[] = []
    for (let node = best.node; node.parent; node = node.parent) nodes.push(node)
    return { nodes: nodes.reverse(), rows: best.rows }
  }

  /**
   * The largest prefix length up to `rows` after which a sequence can continue: all rows that the next query sees exist, and the
   * state there, which blocks have at their ends.
   */
  usableRows({ nodes }: PrefixMatch, rows: number): number {
    const { groups } = this.#pool.layout
    const bt = this.#blockTokens
    let length = rows
    while (
      length > 0 &&
      !groups.every((group, g) => {
        if (group.ofSource) return true
        if (group.states && length % bt !== 0) return false
        return nodes.slice(...seenBlocks(group, length, bt)).every(n => n.blocks[g])
      })
    ) {
      length = (Math.ceil(length / bt) - 1) * bt
    }
    return length
  }

  /** Number of nodes: for tests and statistics. */
  get size(): number {
    const count = (node: MutableNode): number => [...node.children].reduce((n, child) => n + count(child), 1)
    return [...this.#roots.values()].reduce((n, root) => n + count(root) - 1, 0)
  }

  /** Makes a root be found. Where another sequence has begun the salt's texts anew meanwhile, its nodes move there. */
  #putRoot(root: MutableNode): void {
    const known = this.#roots.get(root.salt)
    if (known === root) return
    if (known === undefined) {
      this.#roots.set(root.salt, root)
      return
    }
    for (const child of root.children) {
      child.parent = known
      known.children.add(child)
    }
    root.children.clear()
  }

  #keeperOf(node: MutableNode): Keeper {
    return {
      evicted: block => {
        node.blocks[block.group] = null
        // Remove nodes that have neither memory nor descendants with memory.
        let n = node
        for (; n.parent && n.children.size === 0 && n.blocks.every(b => !b); n = n.parent) {
          n.parent.children.delete(n)
        }
        if (!n.parent && n.children.size === 0 && this.#roots.get(n.salt) === n) this.#roots.delete(n.salt)
      },
    }
  }
}

function newRoot(salt: string): MutableNode {
  return { parent: null, salt, index: -1, ids: [], provenance: [], blocks: [], children: new Set() }
}

/** The blocks of a group that a query at position `length` sees, as a half-open range of indices; of states the last one. */
export function seenBlocks(
  { window, states }: CacheGroup,
  length: number,
  blockTokens: number,
): [from: number, to: number] {
  const end = Math.ceil(length / blockTokens)
  if (states) return [Math.max(0, end - 1), end]
  const from = window === null ? 0 : Math.max(0, Math.floor((length - window + 1) / blockTokens))
  return [from, end]
}

function commonRows(
  node: PrefixNode,
  ids: readonly number[],
  start: number,
  fits: (flags: number, position: number) => boolean,
): number {
  let n = 0
  while (n < node.ids.length && node.ids[n] === ids[start + n] && fits(node.provenance[n] as number, start + n)) n++
  return n
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i])
}
