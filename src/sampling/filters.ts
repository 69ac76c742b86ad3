/** The options beyond topK, topP and minP, each as its definition says; sums are in float64 and in the order of ids. */
import { type Candidates, selectTop } from './candidates.ts'
import { expNegative, naturalLog } from './exp.ts'
import type { ResolvedOptions } from './options.ts'
import type { Rng } from './rng.ts'

/** Whether options ask for one of these filters. */
export function isFiltered(options: ResolvedOptions): boolean {
  const { topNSigma, typicalP, xtc, dynamicTemperature, temperatureLast, mirostat } = options
  return topNSigma > 0 || typicalP < 1 || temperatureLast || (xtc ?? dynamicTemperature ?? mirostat) !== null
}

/**
 * As `Candidates.choose`, with every option. `mu` is mirostat's bound on the surprise. Takes one random number for xtc, whatever it
 * removes.
 */
export function chooseFiltered(
  candidates: Candidates,
  logits: Float32Array,
  best: number,
  options: ResolvedOptions,
  rng: Rng,
  mu: number,
): number {
  const { topK, topP, minP, typicalP, topNSigma, xtc, temperatureLast, mirostat } = options
  const { ids, weights } = candidates
  const count = candidates.keepFrom(logits, topNSigma > 0 ? sigmaBound(logits, best, topNSigma) : -Number.MAX_VALUE)
  const divisor = temperatureLast ? 1 : divisorOf(candidates, logits, count, options)
  candidates.weigh(logits, best, count, divisor)
  if (mirostat) return keepSurprise(candidates, count, best, mu)
  const inOrder = (length: number) => {
    ids.subarray(0, length).sort()
    return length
  }
  let left = topK > 0 && topK < count ? inOrder(selectTop(ids, count, logits, topK)) : count
  if (typicalP < 1) left = inOrder(keepTypical(candidates, logits, left, typicalP))
  if (topP < 1) left = inOrder(candidates.keepTopP(logits, left, sum(candidates, left), topP))
  if (minP > 0) left = candidates.keepWeight(left, minP * weights[bestOf(logits, ids, left)]!)
  if (xtc) left = excludeTop(candidates, left, xtc, logits, rng.next())
  if (temperatureLast) {
    const late = divisorOf(candidates, logits, left, options)
    candidates.weigh(logits, bestOf(logits, ids, left), left, late)
  }
  return left
}

/** Top-n-sigma: the highest logit minus n standard deviations; masked tokens do not count. */
function sigmaBound(logits: Float32Array, best: number, n: number): number {
  let [sum, count] = [0, 0]
  for (const logit of logits) {
    if (logit === Number.NEGATIVE_INFINITY) continue
    sum += logit
    count++
  }
  const mean = sum / count
  let squares = 0
  for (const logit of logits) if (logit !== Number.NEGATIVE_INFINITY) squares += (logit - mean) ** 2
  return logits[best]! - n * Math.sqrt(squares / count)
}

/** The temperature, which follows the candidates' entropy if it is dynamic. */
function divisorOf(candidates: Candidates, logits: Float32Array, count: number, options: ResolvedOptions): number {
  const { temperature, dynamicTemperature } = options
  if (!dynamicTemperature || count < 2) return temperature
  const { range, exponent } = dynamicTemperature
  const best = bestOf(logits, candidates.ids, count)
  candidates.weigh(logits, best, count, 1)
  const share = Math.min(Math.max(entropy(candidates, logits, count, logits[best]!) / naturalLog(count), 0), 1)
  const low = Math.max(temperature - range, 0)
  const power = share === 0 ? 0 : expNegative(exponent * naturalLog(share))
  // A temperature of 0 leaves the most likely token: so does the smallest number.
  return Math.max(low + (temperature + range - low) * power, Number.MIN_VALUE)
}

/**
 * Locally typical sampling: the nearest to the entropy by their surprise, until they make up `share`. A token's surprise less the
 * entropy is the mean logit less its own, divided by the temperature: so the nearest to the mean logit, without a logarithm.
 */
function keepTypical(candidates: Candidates, logits: Float32Array, count: number, share: number): number {
  const { ids, weights } = candidates
  const keys = candidates.scratch()
  let [total, weighted] = [0, 0]
  for (let i = 0; i < count; i++) {
    const id = ids[i]!
    total += weights[id]!
    weighted += weights[id]! * logits[id]!
  }
  const mean = weighted / total
  for (let i = 0; i < count; i++) keys[ids[i]!] = -Math.abs(logits[ids[i]!]! - mean)
  return selectTop(ids, count, keys, share * total, weights)
}

/** XTC: of the tokens whose probability reaches the threshold only the least likely stays. */
function excludeTop(
  candidates: Candidates,
  count: number,
  { probability, threshold }: { readonly probability: number; readonly threshold: number },
  logits: Float32Array,
  chance: number,
): number {
  if (chance >= probability) return count
  const { ids, weights } = candidates
  const least = threshold * sum(candidates, count)
  const isTop = (id: number) => weights[id]! >= least
  let lowest = -1
  let [tops, kept] = [0, 0]
  for (let i = 0; i < count; i++) {
    const id = ids[i]!
    if (!isTop(id)) continue
    tops++
    if (lowest < 0 || logits[id]! <= logits[lowest]!) lowest = id
  }
  if (tops < 2) return count
  for (let i = 0; i < count; i++) if (!isTop(ids[i]!) || ids[i] === lowest) ids[kept++] = ids[i]!
  return kept
}

/** Mirostat: tokens whose surprise is at most `mu` bits; at least the most likely one. */
function keepSurprise(candidates: Candidates, count: number, best: number, mu: number): number {
  const least = sum(candidates, count) * expNegative(Math.min(-mu * Math.LN2, 0))
  if (least <= 1) return candidates.keepWeight(count, least)
  candidates.ids[0] = best
  return 1
}

/** The surprise, in bits, of a token among the first `count` candidates. */
export function surpriseOf(candidates: Candidates, count: number, id: number): number {
  return (naturalLog(sum(candidates, count)) - naturalLog(candidates.weights[id]!)) / Math.LN2
}

/** In nats, of candidates weighed at temperature 1: a weight is e^(logit - highest), so its logarithm needs no function. */
function entropy(candidates: Candidates, logits: Float32Array, count: number, highest: number): number {
  const { ids, weights } = candidates
  let [total, weighted] = [0, 0]
  for (let i = 0; i < count; i++) {
    const id = ids[i]!
    const weight = weights[id]!
    total += weight
    if (weight > 0) weighted += weight * (logits[id]! - highest)
  }
  return naturalLog(total) - weighted / total
}

function sum({ ids, weights }: Candidates, count: number): number {
  let total = 0
  for (let i = 0; i < count; i++) total += weights[ids[i]!]!
  return total
}

function bestOf(logits: Float32Array, ids: Int32Array, count: number): number {
  let best = ids[0]!
  for (let i = 1; i < count; i++) if (logits[ids[i]!]! > logits[best]!) best = ids[i]!
  return best
}
