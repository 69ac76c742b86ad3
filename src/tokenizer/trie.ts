import { TokenizerError } from './errors.ts'
import { NumberTable } from './models/number-table.ts'

/** Limit for all added tokens together, in UTF-16 units: far above published tokenizers. A node takes some 20 bytes. */
const MAX_UNITS = 1 << 20

export const ROOT = 0

/** Texts as ways from a root, one UTF-16 unit a step, shared where they begin alike. Nodes are numbers. */
export class Trie {
  /** By node: the unit that leads to it. */
  readonly units: Uint16Array
  /** By node: where from. */
  readonly parents: Int32Array
  readonly #depths: Int32Array
  /** Most nodes have one child, and it is the next number. The others, by node * 65,536 + unit. */
  readonly #others = new NumberTable()
  #size = 1

  /** `longest`: of all texts together, in UTF-16 units. */
  constructor(longest: number) {
    const room = Math.min(longest, MAX_UNITS) + 1
    this.units = new Uint16Array(room)
    this.parents = new Int32Array(room)
    this.#depths = new Int32Array(room)
  }

  /** Nodes, with the root. */
  get size(): number {
    return this.#size
  }

  /** Adds a text from its end to its beginning; gives the node of the whole. Throws TokenizerError beyond the limit. */
  addReversed(text: string): number {
    let node = ROOT
    for (let at = text.length - 1; at >= 0; at--) {
      const unit = text.charCodeAt(at)
      const known = this.child(node, unit)
      node = known >= 0 ? known : this.#add(node, unit)
    }
    return node
  }

  /** -1 where there is none. */
  child(node: number, unit: number): number {
    const next = node + 1
    if (next < this.#size && this.parents[next] === node && this.units[next] === unit) return next
    return this.#others.get(node * 0x10000 + unit)
  }

  /** Each node but the root, after all that are nearer to the root. */
  byDepth(): Int32Array {
    const depths = this.#depths.subarray(0, this.#size)
    const places = new Int32Array(depths.reduce((deepest, depth) => Math.max(deepest, depth), 0) + 2)
    for (const depth of depths) places[depth + 1]!++
    for (let depth = 1; depth < places.length; depth++) places[depth]! += places[depth - 1]!
    const sorted = new Int32Array(this.#size)
    for (const [node, depth] of depths.entries()) sorted[places[depth]!++] = node
    return sorted.subarray(1)
  }

  #add(parent: number, unit: number): number {
    const node = this.#size
    if (node > MAX_UNITS) {
      throw new TokenizerError(`the added tokens have more than ${MAX_UNITS} characters; latentkit takes no more`)
    }
    if (node !== parent + 1) this.#others.set(parent * 0x10000 + unit, node)
    this.units[node] = unit
    this.parents[node] = parent
    this.#depths[node] = this.#depths[parent]! + 1
    this.#size++
    return node
  }
}
