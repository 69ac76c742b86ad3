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
  const { topNSigma = 0, typicalP = 1, temperatureLast = false, dynamicTemperature, xtc } = options
  const masked = (id: number) => z[id] === Number.NEGATIVE_INFINITY
  let all = order.filter(id => !masked(id))
  if (topNSigma > 0) {
    const real = z.filter(x => x > Number.NEGATIVE_INFINITY)
    const mean = real.reduce((a, b) => a + b, 0) / real.length
    const sigma = Math.sqrt(real.reduce((a, x) => a + (x - mean) ** 2, 0) / real.length)
    all = all.filter(id => z[id]! >= z[order[0]!]! - topNSigma * sigma)
  }
  /** What divides the logits of these tokens. */
  const divisor = (ids: readonly number[]): number => {
    if (!dynamicTemperature || ids.length < 2) return temperature
    const { range, exponent = 1 } = dynamicTemperature
    const low = Math.max(temperature - range, 0)
    const own = softmax(ids.map(id => z[id]!))
    const share = Math.max(entropyOf(own), 0) / Math.log(ids.length)
    return Math.max(low + (temperature + range - low) * share ** exponent, 1e-300)
  }
  const early = temperatureLast ? 1 : divisor(all)
  const spread = (ids: readonly number[]) => softmax(ids.map(id => (z[id]! - z[ids[0]!]!) / early))
  let kept = topK > 0 ? all.slice(0, topK) : all
  if (typicalP < 1) {
    const p = spread(kept)
    const entropy = entropyOf(p)
    const distance = (i: number) => (p[i] === 0 ? Number.POSITIVE_INFINITY : Math.abs(-Math.log(p[i]!) - entropy))
    const nearest = kept.map((_, i) => i).sort((i, j) => distance(i) - distance(j) || kept[i]! - kept[j]!)
    let sum = 0
    const reached = nearest.findIndex(i => {
      sum += p[i]!
      return sum >= typicalP
    })
    const near = new Set(nearest.slice(0, reached < 0 ? nearest.length : reached + 1).map(i => kept[i]!))
    kept = kept.filter(id => near.has(id))
  }
  let p = spread(kept)
  if (topP < 1) {
    let sum = 0
    const reached = p.findIndex(x => {
      sum += x
      return sum >= topP
    })
    kept = kept.slice(0, reached < 0 ? kept.length : reached + 1)
    p = spread(kept)
  }
  kept = kept.filter((_, i) => p[i]! >= minP * p[0]!)
  p = spread(kept)
  // Chance is for the caller: here it always happens.
  if (xtc) {
    const tops = p.filter(x => x >= (xtc.threshold ?? 0.1)).length
    if (tops > 1) kept = kept.slice(tops - 1)
  }
  const late = temperatureLast ? divisor(kept) : early
  p = softmax(kept.map(id => (z[id]! - z[kept[0]!]!) / late))
  for (const [i, id] of kept.entries()) chosen[id] = p[i]!
  return chosen
}

function entropyOf(p: readonly number[]): number {
  return p.reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0)
}

export function softmax(z: readonly number[]): number[] {
  const highest = Math.max(...z)
  const weights = z.map(x => Math.exp(x - highest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}
