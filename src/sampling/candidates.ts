import { expNegative } from './exp.ts'
import type { ResolvedOptions } from './options.ts'

/** The tokens that may be drawn from one row of logits, with their weights. Its arrays are reused for rows of one length. */
export class Candidates {
  /** The candidates' ids, ascending, at the front. */
  ids = new Int32Array(0)
  /** Weight by id, relative to the most likely token's 1; valid only for candidates. */
  weights = new Float64Array(0)

  #scratch = new Float64Array(0)

  /** Makes room for rows of `vocab` logits. */
  fit(vocab: number): void {
    this.weights = new Float64Array(vocab)
    this.ids = new Int32Array(vocab)
  }

  /** As many numbers as the row has logits, with any content. */
  scratch(): Float64Array {
    if (this.#scratch.length !== this.ids.length) this.#scratch = new Float64Array(this.ids.length)
    return this.#scratch
  }

  /** Weighs the tokens and removes those that the options exclude; `best` is the most likely one. Returns how many are left. */
  choose(logits: Float32Array, best: number, options: ResolvedOptions): number {
    const { temperature, topK, topP, minP } = options
    const all = this.keepFrom(logits, topP < 1 ? Number.NEGATIVE_INFINITY : this.#minLogit(logits[best]!, options))
    const limited = topK > 0 && topK < all
    let count = limited ? selectTop(this.ids, all, logits, topK) : all
    const total = this.weigh(logits, best, count, temperature)
    if (topP < 1) count = this.keepTopP(logits, count, total, topP)
    if (limited || topP < 1) this.#restoreOrder(logits, count)
    return minP > 0 ? this.keepWeight(count, minP) : count
  }

  /**
   * Without topP, the weights of tokens that minP removes are not needed: skip logits a little below its threshold. Nor are those of
   * forbidden ones, unless topK counts them.
   */
  #minLogit(top: number, { minP, topK, temperature }: ResolvedOptions): number {
    if (minP > 0) return top + temperature * (Math.log(minP) - 1e-6)
    return topK > 0 ? Number.NEGATIVE_INFINITY : -Number.MAX_VALUE
  }

  /** All tokens whose logit is at least `least`. */
  keepFrom(logits: Float32Array, least: number): number {
    let kept = 0
    for (let id = 0; id < logits.length; id++) if (logits[id]! >= least) this.ids[kept++] = id
    return kept
  }

  /** Computes the candidates' weights; returns their sum. */
  weigh(logits: Float32Array, best: number, count: number, temperature: number): number {
    const top = logits[best]!
    let total = 0
    for (let i = 0; i < count; i++) {
      const id = this.ids[i]!
      const weight = expNegative((logits[id]! - top) / temperature)
      this.weights[id] = weight
      total += weight
    }
    return total
  }

  /** Keeps the best that make up the share `topP` of `total`. First drops tokens so rare that all of them together have less mass than topP removes: fewer ids to order. */
  keepTopP(logits: Float32Array, count: number, total: number, topP: number): number {
    const left = this.keepWeight(count, ((1 - topP) * total) / (2 * count))
    return selectTop(this.ids, left, logits, topP * total, this.weights)
  }

  /** Those of the candidates whose weight is at least `least`. */
  keepWeight(count: number, least: number): number {
    let kept = 0
    for (let i = 0; i < count; i++) {
      const id = this.ids[i]!
      if (this.weights[id]! >= least) this.ids[kept++] = id
    }
    return kept
  }

  /** Sorts the ids again after a selection. If many are left, scanning the row is faster than sorting. */
  #restoreOrder(logits: Float32Array, count: number): void {
    if (count < logits.length / 64) {
      this.ids.subarray(0, count).sort()
      return
    }
    let last = this.ids[0]!
    for (let i = 1; i < count; i++) if (isBefore(last, this.ids[i]!, logits)) last = this.ids[i]!
    let kept = 0
    for (let id = 0; id < logits.length; id++) if (!isBefore(last, id, logits)) this.ids[kept++] = id
  }
}

/**
 * The order of candidates everywhere: the higher logit first; ties: the lower id. The order is total, so "the best k" is
 * a unique set.
 */
export function isBefore(a: number, b: number, logits: Float32Array): boolean {
  const x = logits[a]!
  const y = logits[b]!
  return x > y || (x === y && a < b)
}

/**
 * Moves the best ids to the front of `ids[0..count)`: the fewest whose weights sum to at least `target`. Returns their
 * number (at least one; all if the sum never reaches it). Without `weights` each counts 1. `weights` and `logits` are
 * indexed by id. Quickselect: linear time, no sort.
 */
export function selectTop(
  ids: Int32Array,
  count: number,
  logits: Float32Array | Float64Array,
  target: number,
  weights?: Float64Array,
): number {
  let low = 0
  let high = count
  let needed = Math.max(target, Number.MIN_VALUE)
  let dice = count
  while (high - low > 1) {
    // Pseudo-random pivots: no order of the logits is a worst case, and every run is the same.
    dice = (Math.imul(dice, 1_664_525) + 1_013_904_223) >>> 0
    const place = low + (dice % (high - low))
    const pivot = ids[place]!
    ids[place] = ids[high - 1]!
    let end = low
    let mass = 0
    const pivotLogit = logits[pivot]!
    for (let i = low; i < high - 1; i++) {
      const id = ids[i]!
      const logit = logits[id]!
      if (logit < pivotLogit || (logit === pivotLogit && id > pivot)) continue
      ids[i] = ids[end]!
      ids[end++] = id
      mass += weights === undefined ? 1 : weights[id]!
    }
    ids[high - 1] = ids[end]!
    ids[end] = pivot
    if (mass >= needed) {
      high = end
      continue
    }
    const withPivot = mass + (weights === undefined ? 1 : weights[pivot]!)
    if (withPivot >= needed) return end + 1
    needed -= withPivot
    low = end + 1
  }
  return high
}
