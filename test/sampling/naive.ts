import type { SamplingOptions } from '../../src/sampling/options.ts'

/**
 * What the options mean, written for reading: full sorts, one step after the other, plain arrays. The probability of
 * every token, by id. `prompt` and `answer` are the history.
 */
export function naiveDistribution(
  logits: ArrayLike<number>,
  options: SamplingOptions,
  prompt: readonly number[] = [],
  answer: readonly number[] = [],
): number[] {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = options
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0, logitBias = {} } = options
  const z = Array.from(logits)
  for (const [id, bias] of Object.entries(logitBias)) z[Number(id)] = Math.fround(z[Number(id)]! + bias)
  if (repetitionPenalty !== 1) {
    for (const id of new Set([...prompt, ...answer])) {
      z[id] = Math.fround(z[id]! > 0 ? z[id]! / repetitionPenalty : z[id]! * repetitionPenalty)
    }
  }
  for (const id of new Set(answer)) {
    const count = answer.filter(other => other === id).length
    z[id] = Math.fround(z[id]! - (presencePenalty + count * frequencyPenalty))
  }

  const order = z.map((_, id) => id).sort((a, b) => z[b]! - z[a]! || a - b)
  const chosen = new Array<number>(z.length).fill(0)
  if (temperature === 0) {
    chosen[order[0]!] = 1
    return chosen
  }
  let kept = topK > 0 ? order.slice(0, topK) : order
  let p = softmax(kept.map(id => z[id]! / temperature))
  if (topP < 1) {
    let sum = 0
    const reached = p.findIndex(x => {
      sum += x
      return sum >= topP
    })
    kept = kept.slice(0, reached < 0 ? kept.length : reached + 1)
    p = softmax(kept.map(id => z[id]! / temperature))
  }
  kept = kept.filter((_, i) => p[i]! >= minP * p[0]!)
  p = softmax(kept.map(id => z[id]! / temperature))
  for (const [i, id] of kept.entries()) chosen[id] = p[i]!
  return chosen
}

export function softmax(z: readonly number[]): number[] {
  const highest = Math.max(...z)
  const weights = z.map(x => Math.exp(x - highest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}
