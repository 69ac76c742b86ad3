/** From logits to the likeliest tokens. */

/** The ids of the largest logits, the largest first; of equal ones the lower id. */
export function largest(logits: Float32Array, count: number): number[] {
  const best: number[] = []
  const value = (id: number | undefined) => logits[id as number] as number
  for (let id = 0; id < logits.length; id++) {
    if (best.length === count && !(value(id) > value(best.at(-1)))) continue
    let at = best.length
    while (at > 0 && value(id) > value(best[at - 1])) at--
    best.splice(at, 0, id)
    if (best.length > count) best.pop()
  }
  return best
}

/** The natural log of the sum of exponentials, and the entropy of the softmax in bits. */
export function softmaxFacts(logits: Float32Array): { readonly lse: number; readonly entropy: number } {
  let max = Number.NEGATIVE_INFINITY
  for (const x of logits) if (x > max) max = x
  let sum = 0
  let weighted = 0
  for (const x of logits) {
    const e = Math.exp(x - max)
    sum += e
    if (e > 0) weighted += e * (x - max)
  }
  return { lse: max + Math.log(sum), entropy: (Math.log(sum) - weighted / sum) / Math.LN2 }
}
