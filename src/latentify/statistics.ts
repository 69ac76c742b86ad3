/** What a calibration text tells of one layer's attention. Keys count by p², p the probability that a head gives a key for a query: errors of single keys are independent, so their squares add. */
import type { Dense } from './dense.ts'

export interface LayerStatistics {
  /** Tokens that were read. */
  readonly tokens: number
  /** Per head, mean of q qᵀ without the softmax scale, in halves: [H d, d]. */
  readonly queries: Dense
  /** Mean of y yᵀ by p² of all heads; y: a key and its value, before rotation, each head's key in halves: [2 G d, 2 G d]. */
  readonly rows: Dense
  /** Per head, shares by p² of the distances between query and key, [H, distances]. */
  readonly distances: Dense
  /** Per head, what an error of a score does to the output: mean of |W_O (v - o)|² over (query, key), by p². */
  readonly effect: Float64Array
}
