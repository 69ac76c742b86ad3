/** What temperature, top-k and top-p make of logits, as the engine draws by default (docs/sampling.md): temperature first. */

export interface DrawingRule {
  /** Above 0. */
  readonly temperature: number
  /** 0: all. */
  readonly topK: number
  /** 1: all. */
  readonly topP: number
}

/** Probabilities of all tokens; those that are cut have 0. */
export function drawn(logits: Float32Array, { temperature, topK, topP }: DrawingRule): Float64Array {
  const order = Array.from(logits.keys()).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0))
  const most = logits[order[0] ?? 0] ?? 0
  const within = topK > 0 ? order.slice(0, topK) : order
  const weights = within.map(id => Math.exp(((logits[id] ?? 0) - most) / temperature))
  const count = topP < 1 ? reaching(weights, topP * sum(weights)) : weights.length
  const total = sum(weights.slice(0, count))
  const result = new Float64Array(logits.length)
  for (const [i, id] of within.slice(0, count).entries()) result[id] = (weights[i] ?? 0) / total
  return result
}

/** How many of the first come to `share` together. */
function reaching(weights: readonly number[], share: number): number {
  let together = 0
  for (const [i, weight] of weights.entries()) {
    together += weight
    if (together >= share) return i + 1
  }
  return weights.length
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
