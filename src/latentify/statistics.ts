/** What a calibration text tells of one layer's attention. */
import type { Dense } from './dense.ts'

/**
 * Of some of the keys, weighted by p², p the probability that a head gives a key for a query: errors of single keys are independent, so their squares add.
 * n = 2 G d: a key and its value, before rotation, each head's key in halves.
 */
export interface KeyStatistics {
  /** Mean of y yᵀ, per head [H n, n], or of all heads together, [n, n]. */
  readonly rows: Dense
  /** Sum of p² per query, [H]. */
  readonly mass: Float64Array
  /** Shares of the distances between query and key, [H, distances]. */
  readonly distances: Dense
}

export interface LayerStatistics {
  /** Tokens that were read. */
  readonly tokens: number
  /** Per head, mean of q qᵀ without the softmax scale, in halves: [H d, d]. */
  readonly queries: Dense
  /** The first token of a text: heads that look for nothing look there, from any distance. Its rows are of all heads together. */
  readonly first: KeyStatistics
  readonly others: KeyStatistics
  /** Per head, what an error of a score does to the output: mean of |W_O (v - o)|² over (query, key), weighted by p². */
  readonly effect: Float64Array
}
