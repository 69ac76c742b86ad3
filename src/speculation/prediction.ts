import { CacheFullError } from '../cache/pool.ts'
import { type PrefixNode, PrefixTree } from '../cache/prefix-tree.ts'
import type { SequenceCache } from '../cache/sequence-cache.ts'
import type { Model } from '../model/model.ts'
import { type Drafted, DraftSteps } from './draft-steps.ts'
import type { Proposer, StateReader } from './proposer.ts'

/** Rows that a step computes at most. */
const MAX_ROWS = 512
/** States that wait for the next guess; more are computed with before it, so that they take no memory. */
const MAX_WAITING = 64
/** A draft is not longer than it holds with this probability, as the module has it: a row of the model costs about that. */
const MIN_PROBABILITY = 0.2
/** And no further token is looked for if it holds with less: the module's step costs more than a row. */
const MIN_TO_GO_ON = 0.4
/** Rows from which on MLA's expanded path is cheaper. */
const EXPANDED_ROWS = 64

/** A model's module of multi-token prediction, as a model of one layer that drafts (DeepSeek-V3, arXiv 2412.19437, section 2.2). */
export class PredictionModel {
  readonly model: Model
  /** Full blocks of rows, which sessions share as they share the model's own. */
  readonly prefixes: PrefixTree
  readonly steps: DraftSteps

  constructor(model: Model) {
    this.model = model
    this.prefixes = new PrefixTree(model.pool)
    this.steps = new DraftSteps(model, { withStates: true })
  }

  dispose(): void {
    this.model.dispose()
  }
}

/**
 * What the module has read of a session's texts, and guesses that follow. Its row of token t is made of the model's state before t and
 * of t. So rows are computed when a guess needs them, of the states that the model's steps have left since; those of guesses, made
 * of the module's own state, are dropped. Where the model's own rows came from another session or from disk, states are missing: the
 * module takes what the tree has, computes a single row without its state, and leaves out more. Guesses get worse, the text stays.
 */
export class PredictionProposer implements Proposer, StateReader {
  readonly most = 4
  readonly states = this
  readonly #module: PredictionModel
  readonly #cache: SequenceCache
  readonly #salt: string
  /** Of each row, the index in the text of its token. */
  #places: number[] = []
  /** Of the rows' first blocks, those that are in the tree. */
  #nodes: PrefixNode[] = []
  /** The text, as far as its states were read. */
  #tokens: number[] = []
  /** States that wait, [D] each: those of the last tokens of `#tokens`. */
  #waiting: Float32Array[] = []

  /** `salt`: with which sessions it shares rows. */
  constructor(module: PredictionModel, salt: string) {
    this.#module = module
    this.#salt = salt
    this.#cache = module.model.sequence()
  }

  read(tokens: readonly number[], start: number, count: number, states: Float32Array): void {
    this.#keepCommon(tokens)
    if (start > this.#tokens.length) {
      this.#waiting = []
      this.#adopt(tokens, start)
    }
    const size = states.length / count
    if (this.#waiting.length === 0) {
      const rowsEnd = this.#places.at(-1) ?? 0
      // What was left out may be read now.
      this.#tokens.length = Math.min(this.#tokens.length, Math.max(start, rowsEnd))
      if (rowsEnd === start - 1) this.#waiting.push(new Float32Array(size))
    }
    // Those before are there, or rows have been computed with them.
    for (let at = Math.max(start, this.#tokens.length); at < start + count; at++) {
      this.#waiting.push(states.slice((at - start) * size, (at - start + 1) * size))
    }
    for (let at = this.#tokens.length; at < start + count; at++) this.#tokens.push(tokens[at] as number)
  }

  settle(tokens: readonly number[]): Promise<void> | null {
    return this.#waiting.length > MAX_WAITING ? this.#settle(tokens) : null
  }

  /** Greedy continuation while it is likely enough to hold. Empty for a text whose last state is not there. */
  async propose(tokens: readonly number[], count: number): Promise<readonly number[]> {
    this.#keepCommon(tokens)
    const last = tokens.length - 1
    if (this.#tokens.length !== last || this.#waiting.length === 0 || tokens.length + count > this.#cache.maxTokens) {
      return []
    }
    try {
      let drafted = await this.#readUpTo(tokens, 'last')
      const found: number[] = []
      let holds = 1
      while (drafted?.next) {
        const { token, probability } = drafted.next
        holds *= probability
        if (holds < MIN_PROBABILITY) break
        found.push(token)
        if (found.length === count || holds < MIN_TO_GO_ON) break
        drafted = await this.#run([token], drafted.state as Float32Array, 'last')
      }
      return found
    } catch (error) {
      return this.#withoutRoom(error)
    }
  }

  /** Releases its rows. Those that others may use stay in the tree while there is room. */
  forget(): void {
    this.#tokens = []
    this.#waiting = []
    this.#keepRows(0)
  }

  dispose(): void {
    this.forget()
    this.#cache.dispose()
  }

  async #settle(tokens: readonly number[]): Promise<void> {
    try {
      await this.#readUpTo(tokens, 'none')
    } catch (error) {
      this.#withoutRoom(error)
    }
  }

  #withoutRoom(error: unknown): readonly number[] {
    if (!(error instanceof CacheFullError)) throw error
    this.forget()
    return []
  }

  /** Computes the rows of all tokens whose states wait. What the last one predicts if `logits` is `last`; null if there was none. */
  async #readUpTo(tokens: readonly number[], logits: 'last' | 'none'): Promise<Drafted | null> {
    this.#keepRows(this.#places.length)
    let drafted: Drafted | null = null
    for (;;) {
      const first = this.#tokens.length - this.#waiting.length + 1
      const count = Math.min(this.#waiting.length, tokens.length - first, MAX_ROWS)
      if (count <= 0) break
      const wants = first + count === tokens.length ? logits : 'none'
      drafted = await this.#run(tokens.slice(first, first + count), joined(this.#waiting.slice(0, count)), wants)
      this.#waiting.splice(0, count)
      for (let i = 0; i < count; i++) this.#places.push(first + i)
    }
    this.#publish()
    return drafted
  }

  #run(tokens: readonly number[], states: Float32Array, logits: 'last' | 'none'): Promise<Drafted> {
    const cache = this.#cache
    cache.reserve(tokens.length)
    const path = tokens.length > EXPANDED_ROWS ? 'expanded' : null
    return this.#module.steps.run({ tokens, cache, prompt: null, logits, states, ...(path && { path }) })
  }

  /** Forgets what is not of this text. */
  #keepCommon(tokens: readonly number[]): void {
    const read = this.#tokens
    let common = 0
    while (common < read.length && common < tokens.length && read[common] === tokens[common]) common++
    if (common === read.length) return
    const first = read.length - this.#waiting.length
    this.#waiting.length = Math.max(common - first, 0)
    read.length = common
    let rows = this.#places.length
    while (rows > 0 && (this.#places[rows - 1] as number) >= common) rows--
    this.#keepRows(rows)
  }

  /** Drops rows from `rows` on: those of guesses, and of another text. */
  #keepRows(rows: number): void {
    const cache = this.#cache
    const keep = cache.length <= rows || cache.canTruncate(rows) ? rows : 0
    if (cache.length > keep) cache.truncate(keep)
    this.#places.length = Math.min(this.#places.length, keep)
    this.#nodes.length = Math.min(this.#nodes.length, Math.floor(keep / cache.blockTokens))
  }

  /** The model's rows before token `start` came from elsewhere: the module's may be in the tree, too. */
  #adopt(tokens: readonly number[], start: number): void {
    const { prefixes } = this.#module
    const cache = this.#cache
    for (let at = this.#tokens.length; at < start; at++) this.#tokens.push(tokens[at] as number)
    const match = prefixes.longest(tokens.slice(1, start + 1), () => true, this.#saltOf(tokens))
    const rows = prefixes.usableRows(match, match.rows)
    if (rows <= this.#places.length) return
    this.#keepRows(0)
    const taken = match.nodes.slice(0, Math.ceil(rows / cache.blockTokens))
    cache.adopt(0, taken, rows)
    this.#places = Array.from({ length: rows }, (_, i) => i + 1)
    this.#nodes = taken.slice(0, Math.floor(rows / cache.blockTokens))
  }

  /** Gives full blocks to the tree. */
  #publish(): void {
    const { prefixes } = this.#module
    const cache = this.#cache
    const { blockTokens } = cache
    for (let n = this.#nodes.length; (n + 1) * blockTokens <= this.#places.length; n++) {
      // One that comes after a row that was left out is of this session alone.
      if (this.#places[(n + 1) * blockTokens - 1] !== (n + 1) * blockTokens) return
      const node = prefixes.publish(
        this.#nodes.at(-1) ?? null,
        cache.filledBlock(n),
        'computed',
        this.#saltOf(this.#tokens),
      )
      for (const block of node.blocks) if (block) cache.replace(n, block)
      this.#nodes.push(node)
    }
  }

  /** The first token has no row of its own, but all rows depend on it. */
  #saltOf(tokens: readonly number[]): string {
    return `${tokens[0]} ${this.#salt}`
  }
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const [first, ...others] = rows
  if (!first || others.length === 0) return first ?? new Float32Array(0)
  const all = new Float32Array(rows.length * first.length)
  for (const [i, row] of rows.entries()) all.set(row, i * first.length)
  return all
}
