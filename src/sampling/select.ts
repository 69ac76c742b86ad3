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
  logits: Float32Array,
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
