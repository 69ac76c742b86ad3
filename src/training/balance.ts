/** Balancing of experts: DeepSeek-V3's technical report (arXiv 2412.19437), section 2.1.2. */

/** How many tokens chose each of E experts; `chosen`: i32 [T, K]. */
export function loadsOf(chosen: Int32Array, experts: number): Int32Array {
  const loads = new Int32Array(experts)
  for (const e of chosen) loads[e] = (loads[e] as number) + 1
  return loads
}

/** The load of the busiest expert divided by the mean: 1 is balance. */
export function imbalanceOf(loads: Int32Array): number {
  const sum = loads.reduce((n, load) => n + load, 0)
  return sum === 0 ? 1 : (Math.max(...loads) * loads.length) / sum
}

/** The bias of the choice after a step without auxiliary loss (eq. 16 and the text below it): less by `rate` for each overloaded expert, more for each other. */
export function balancedBias(bias: Float32Array, loads: Int32Array, rate: number): Float32Array {
  const mean = loads.reduce((n, load) => n + load, 0) / loads.length
  return bias.map((b, e) => b + rate * Math.sign(mean - (loads[e] as number)))
}

export interface SequenceBalance {
  /** Chosen experts per token. */
  readonly topK: number
  readonly scoring: 'softmax' | 'sigmoid'
  /** Lengths of the sequences, whose sum is T. */
  readonly lengths: readonly number[]
  /** alpha; a sequence's loss counts by its tokens. */
  readonly weight: number
}

/**
 * The sequence-wise auxiliary loss (eq. 17-20), alpha times the sum over sequences of T_s sum_i f_i P_i, and its gradient, [T, E], for the
 * router's logits. f, the share of tokens that would choose an expert by its score alone, has no gradient.
 */
export function sequenceBalance(
  logits: Float32Array,
  experts: number,
  { topK, scoring, lengths, weight }: SequenceBalance,
): { readonly loss: number; readonly gradient: Float32Array } {
  const gradient = new Float32Array(logits.length)
  let loss = 0
  let first = 0
  for (const length of lengths) {
    const rows = Array.from({ length }, (_, t) => {
      const row = logits.subarray((first + t) * experts, (first + t + 1) * experts)
      const scores = scoring === 'sigmoid' ? sigmoid(row) : softmax(row)
      const sum = scores.reduce((n, s) => n + s, 0)
      return { scores, sum }
    })
    const f = new Float64Array(experts)
    for (const { scores } of rows) {
      for (const e of likeliest(scores, topK)) f[e] = (f[e] as number) + experts / (topK * length)
    }
    for (const [t, { scores, sum }] of rows.entries()) {
      let dot = 0
      for (let e = 0; e < experts; e++) dot += ((f[e] as number) * (scores[e] as number)) / sum
      loss += weight * dot
      for (let e = 0; e < experts; e++) {
        const s = scores[e] as number
        const slope = scoring === 'sigmoid' ? s * (1 - s) : s
        gradient[(first + t) * experts + e] = ((weight * ((f[e] as number) - dot)) / sum) * slope
      }
    }
    first += length
  }
  return { loss, gradient }
}

function sigmoid(row: Float32Array): Float64Array {
  return Float64Array.from(row, x => 1 / (1 + Math.exp(-x)))
}

function softmax(row: Float32Array): Float64Array {
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const scores = Float64Array.from(row, x => Math.exp(x - most))
  const sum = scores.reduce((n, s) => n + s, 0)
  return scores.map(s => s / sum)
}

function likeliest(scores: Float64Array, count: number): number[] {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
  return order.slice(0, count)
}
