import { divergence, type Summary, summarise } from './distribution.ts'
import type { ReferenceRows } from './reference.ts'
import { type Estimate, estimate, exponential, quantiles } from './statistics.ts'

/** The difference between a model's distributions and a reference's, over the same tokens. */
export interface Divergence {
  /** The reference model's name. */
  readonly reference: string
  /** Perplexity of the reference model. */
  readonly referencePerplexity: Estimate
  /** The model's perplexity divided by the reference's; its error comes from the paired differences. */
  readonly perplexityRatio: Estimate
  /** Kullback-Leibler divergence of the model from the reference, in nats per token. */
  readonly kl: Estimate
  /** Quantiles over tokens; `p99`: 99 % of the divergences are at or below it. */
  readonly klQuantiles: Readonly<Record<KlQuantile, number>>
  /** Share of positions at which both have the same likeliest token, 0 to 1. */
  readonly top1: Estimate
  /** Root mean square of the change in probability of the text's own token. */
  readonly probabilityRms: number
}

const SHARES = { min: 0, p10: 0.1, p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999, max: 1 } satisfies Record<
  KlQuantile,
  number
>
/** Quantiles of a divergence over tokens: `p999` is 99.9 %. */
export type KlQuantile = 'min' | 'p10' | 'p50' | 'p90' | 'p95' | 'p99' | 'p999' | 'max'

/** Accumulates the comparison of two models' rows. */
export class Comparison {
  readonly #kl: Float64Array
  readonly #nll: Float64Array
  readonly #same: Float64Array
  #at = 0

  /** `count`: number of scored tokens. */
  constructor(count: number) {
    this.#kl = new Float64Array(count)
    this.#nll = new Float64Array(count)
    this.#same = new Float64Array(count)
  }

  /** Compares row `i` of the reference with the model's row; `target` is the token that follows. */
  add(reference: ReferenceRows, i: number, row: Float32Array, own: Summary, target: number): void {
    const theirs = reference.logits.subarray(i * row.length, (i + 1) * row.length)
    const of = summarise(theirs)
    this.#kl[this.#at] = divergence(theirs, of, row, own)
    this.#nll[this.#at] = reference.nll?.[i] ?? of.logSum - (theirs[target] as number)
    this.#same[this.#at] = of.top === own.top ? 1 : 0
    this.#at++
  }

  /** Means over rows `from` to `to`. */
  between(from: number, to: number): { readonly kl: number; readonly top1: number } {
    return { kl: estimate(this.#kl.subarray(from, to)).mean, top1: estimate(this.#same.subarray(from, to)).mean }
  }

  /** The result over the first `nll.length` rows; `nll`: the model's -ln p per token. */
  result(reference: string, nll: Float64Array): Divergence {
    const [kl, theirs, same] = [this.#kl, this.#nll, this.#same].map(all => all.subarray(0, nll.length)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    const change = nll.map((own, i) => own - (theirs[i] as number))
    const probabilities = nll.map((own, i) => (Math.exp(-own) - Math.exp(-(theirs[i] as number))) ** 2)
    const values = quantiles(kl, Object.values(SHARES))
    return {
      reference,
      referencePerplexity: exponential(estimate(theirs)),
      perplexityRatio: exponential(estimate(change)),
      kl: estimate(kl),
      klQuantiles: Object.fromEntries(Object.keys(SHARES).map((name, i) => [name, values[i] as number])) as Record<
        KlQuantile,
        number
      >,
      top1: estimate(same),
      probabilityRms: Math.sqrt(estimate(probabilities).mean),
    }
  }
}
