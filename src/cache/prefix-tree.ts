import type { CacheGroup } from './layout.ts'
import type { Block, BlockPool, Keeper } from './pool.ts'

/** A full block of some timeline: its tokens, how each row was computed, and the memory of each group. */
export interface PrefixNode {
  readonly parent: PrefixNode | null
  /** Number of the block in its timeline. */
  readonly index: number
  readonly ids: readonly number[]
  /** One per id: how each row was computed, as flags. Rows are the same bits only if ids and provenance are equal, here and in all parents. */
  readonly provenance: readonly number[]
  /** By group; null where the memory was given up. */
  readonly blocks: readonly (Block | null)[]
}

/** The beginning of a timeline: `rows` rows of a chain of nodes, the last of which may be used in part. */
export interface PrefixMatch {
  readonly nodes: readonly PrefixNode[]
  readonly rows: number
}

interface MutableNode extends PrefixNode {
  readonly parent: MutableNode | null
  readonly blocks: (Block | null)[]
  readonly children: Set<MutableNode>
}

/**
 * All full blocks that are remembered, by what came before them: prompts that begin alike find the same nodes, whatever
 * session made them. The tree holds no memory itself; it asks the pool to keep its blocks as long as there is room.
 * Sequences release a timeline from its end to its start, so what the pool gives up first has nothing behind it.
 */
export class PrefixTree {
  readonly #pool: BlockPool
  readonly #published: (node: PrefixNode) => void
  readonly #root: MutableNode = { parent: null, index: -1, ids: [], provenance: [], blocks: [], children: new Set() }

  /** `published` hears of every node that is new, while its sequence holds the blocks. */
  constructor(pool: BlockPool, published: (node: PrefixNode) => void = () => {}) {
    this.#pool = pool
    this.#published = published
  }

  get #blockTokens(): number {
    return this.#pool.layout.blockTokens
  }

  /**
   * A block that is full, as held by its sequence (null for groups whose window has passed it), below the node of the
   * block before it. The node's memory may be another sequence's: same bits, so the caller should go on with that.
   */
  publish(
    parent: PrefixNode | null,
    ids: readonly number[],
    provenance: readonly number[],
    blocks: readonly (Block | null)[],
  ): PrefixNode {
    const above = (parent as MutableNode | null) ?? this.#root
    // A window may have let go of all that was above, while its sequence went on.
    for (let n = above; n.parent; n = n.parent) n.parent.children.add(n)
    let isNew = false
    let node = [...above.children].find(child => equal(child.ids, ids) && equal(child.provenance, provenance))
    if (!node) {
      node = {
        parent: above,
        index: above.index + 1,
        ids,
        provenance,
        blocks: blocks.map(() => null),
        children: new Set(),
      }
      above.children.add(node)
      isNew = true
    }
    const keeper = this.#keeperOf(node)
    for (const [group, block] of blocks.entries()) {
      if (!block || node.blocks[group]) continue
      node.blocks[group] = block
      this.#pool.keep(block, keeper)
    }
    if (isNew) this.#published(node)
    return node
  }

  /** The longest remembered beginning of `ids` whose rows were all of a fitting provenance. */
  longest(ids: readonly number[], fits: (flags: number, position: number) => boolean): PrefixMatch {
    let best: { readonly node: MutableNode; readonly rows: number } = { node: this.#root, rows: 0 }
    const open: MutableNode[] = [this.#root]
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

  /** The most rows, up to `rows`, behind which a sequence can go on: everything that the next query sees is there. */
  usableRows({ nodes }: PrefixMatch, rows: number): number {
    const { groups } = this.#pool.layout
    const bt = this.#blockTokens
    let length = rows
    while (
      length > 0 &&
      !groups.every((group, g) => nodes.slice(...seenBlocks(group, length, bt)).every(n => n.blocks[g]))
    ) {
      length = (Math.ceil(length / bt) - 1) * bt
    }
    return length
  }

  /** Nodes in the tree: for tests and statistics. */
  get size(): number {
    const count = (node: MutableNode): number => [...node.children].reduce((n, child) => n + count(child), 1)
    return count(this.#root) - 1
  }

  #keeperOf(node: MutableNode): Keeper {
    return {
      evicted: block => {
        node.blocks[block.group] = null
        // What has neither memory nor descendants with memory is forgotten.
        for (let n = node; n.parent && n.children.size === 0 && n.blocks.every(b => !b); n = n.parent) {
          n.parent.children.delete(n)
        }
      },
    }
  }
}

/** Numbers of the blocks that a query at position `length` sees of a group, as a half-open range. */
export function seenBlocks({ window }: CacheGroup, length: number, blockTokens: number): [from: number, to: number] {
  const from = window === null ? 0 : Math.max(0, Math.floor((length - window + 1) / blockTokens))
  return [from, Math.ceil(length / blockTokens)]
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
