import { describe, expect, it } from 'vitest'
import { Comparison } from '../../src/evaluation/comparison.ts'
import { divergence, summarise } from '../../src/evaluation/distribution.ts'
import { estimate, quantiles } from '../../src/evaluation/statistics.ts'
import { SamplingError } from '../../src/sampling/errors.ts'

/** By the definition, with the library's exp and log. */
function probabilities(row: Float32Array): number[] {
  const weights = Array.from(row, Math.exp)
  const sum = weights.reduce((a, b) => a + b)
  return weights.map(w => w / sum)
}
const klOf = (p: number[], q: number[]) => p.reduce((sum, x, i) => sum + x * Math.log(x / (q[i] as number)), 0)
const kl = (r: Float32Array, x: Float32Array) => divergence(r, summarise(r), x, summarise(x))

const a = Float32Array.of(1, -2, 3.5, 0, -7)
const b = Float32Array.of(2, -2, 3, 1.5, -4)

describe('a row', () => {
  it('log-softmax', () => {
    const { top, logSum } = summarise(a)
    expect(top).toBe(2)
    for (const [i, p] of probabilities(a).entries()) expect((a[i] as number) - logSum).toBeCloseTo(Math.log(p), 13)
  })

  it('divergence by its definition, not symmetric, and blind to a constant', () => {
    expect(kl(a, b)).toBeCloseTo(klOf(probabilities(a), probabilities(b)), 13)
    expect(kl(b, a)).toBeCloseTo(klOf(probabilities(b), probabilities(a)), 13)
    expect(kl(a, b)).not.toBeCloseTo(kl(b, a), 3)
    expect(
      kl(
        a.map(x => x + 64),
        b,
      ),
    ).toBeCloseTo(kl(a, b), 13)
    expect(kl(a, a)).toBe(0)
  })

  it('large logits, masked tokens, NaN', () => {
    expect(summarise(Float32Array.of(1e4, 1e4)).logSum).toBeCloseTo(1e4 + Math.LN2, 10)
    const masked = Float32Array.of(0, Number.NEGATIVE_INFINITY)
    expect(kl(masked, Float32Array.of(0, 0))).toBeCloseTo(Math.LN2, 14)
    expect(kl(Float32Array.of(0, 0), masked)).toBe(Number.POSITIVE_INFINITY)
    expect(() => summarise(Float32Array.of(0, Number.NaN))).toThrow(SamplingError)
  })
})

it('estimates', () => {
  // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sample variance 32 / 7.
  const { mean, error } = estimate(Float64Array.of(2, 4, 4, 4, 5, 5, 7, 9))
  expect(mean).toBe(5)
  expect(error).toBeCloseTo(Math.sqrt(32 / 7 / 8), 14)
  expect(estimate(Float64Array.of(3))).toEqual({ mean: 3, error: 0 })
  expect(quantiles(Float64Array.of(4, 1, 3, 2), [0, 0.5, 1, 0.25])).toEqual([1, 2.5, 4, 1.75])
})

it('a comparison of two tokens', () => {
  const comparison = new Comparison(2)
  const rows = { logits: Float32Array.of(...a, ...b), nll: null }
  comparison.add(rows, 0, b, summarise(b), 3)
  comparison.add(rows, 1, b, summarise(b), 2)
  const [p, q] = [probabilities(a), probabilities(b)]
  const [own, theirs] = [Math.log(q[3] as number), Math.log(p[3] as number)].map(x => -x) as [number, number]
  const last = -Math.log(q[2] as number)
  const result = comparison.result('a', Float64Array.of(own, last))
  expect(result.reference).toBe('a')
  expect(result.kl.mean).toBeCloseTo(klOf(p, q) / 2, 13)
  expect(result.klQuantiles).toMatchObject({ min: 0, max: 2 * result.kl.mean, p50: result.kl.mean })
  expect(result.top1.mean).toBe(1)
  expect(result.referencePerplexity.mean).toBeCloseTo(Math.exp((theirs + last) / 2), 12)
  expect(result.perplexityRatio.mean).toBeCloseTo(Math.exp((own - theirs) / 2), 12)
  expect(result.probabilityRms).toBeCloseTo(Math.abs((q[3] as number) - (p[3] as number)) / Math.SQRT2, 13)
})
