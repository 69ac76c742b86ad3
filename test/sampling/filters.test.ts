/** Top-n-sigma, typical-p, XTC, dynamic temperature, mirostat and the order of all options, against their definitions. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { naturalLog } from '../../src/sampling/exp.ts'
import type { SamplingOptions } from '../../src/sampling/options.ts'
import { Rng } from '../../src/sampling/rng.ts'
import { Sampler } from '../../src/sampling/sampler.ts'
import { naiveDistribution, softmax } from './naive.ts'

const MASKED = Number.NEGATIVE_INFINITY

const row = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.float({ min: -12, max: 12, noNaN: true }) },
      { arbitrary: fc.constant(MASKED), weight: 1 },
    ),
    {
      minLength: 1,
      maxLength: 200,
    },
  )
  // What is compared with a sum must not differ by rounding alone.
  .map(values => Float32Array.from(values, value => Math.round(value * 4096) / 4096))
  .filter(values => values.some(value => value > MASKED))

const share = fc.double({ min: 0.001, max: 0.999, noNaN: true }).map(x => x + 1e-7)
const between = (min: number, max: number) => fc.double({ min, max, noNaN: true })

const options: fc.Arbitrary<SamplingOptions> = fc.record(
  {
    temperature: between(0.05, 4),
    topK: fc.nat(200),
    topP: share,
    minP: share.map(x => x / 3),
    topNSigma: between(0.01, 4),
    typicalP: share,
    xtc: fc.record({ probability: fc.constant(1), threshold: share.map(x => x / 2) }),
    dynamicTemperature: fc.record({ range: between(0.01, 3), exponent: between(0.2, 3) }),
    temperatureLast: fc.boolean(),
  },
  { requiredKeys: [] },
)

function spread(sampler: Sampler, logits: Float32Array): number[] {
  const { ids, probabilities } = sampler.distribution(logits)
  const all = new Array<number>(logits.length).fill(0)
  for (const [i, id] of ids.entries()) all[id] = probabilities[i]!
  expect([...ids]).toEqual([...new Set(ids)].sort((a, b) => a - b))
  return all
}

function expectSame(got: readonly number[], want: readonly number[]): void {
  for (let i = 0; i < want.length; i++) {
    if (!(Math.abs(got[i]! - want[i]!) <= 1e-12 + 1e-9 * want[i]!)) expect({ i, got, want }).toBe('equal')
  }
}

describe('the distribution is what the options say', () => {
  test('all options at once, on any row, in either order', () => {
    fc.assert(
      fc.property(row, options, (logits, options) => {
        const before = logits.slice()
        expectSame(spread(new Sampler(options), logits), naiveDistribution(logits, options))
        expect(logits).toEqual(before)
      }),
      { numRuns: 3000 },
    )
  })

  test.each<SamplingOptions>([
    { topNSigma: 1 },
    { typicalP: 0.3000001 },
    { typicalP: 0.9000001, temperature: 2 },
    { xtc: { probability: 1, threshold: 0.1000001 } },
    { xtc: { probability: 1, threshold: 0.0100001 } },
    { dynamicTemperature: { range: 0.5 } },
    { temperature: 0.3, dynamicTemperature: { range: 0.5, exponent: 2 } },
    { temperature: 3, topP: 0.8000001, temperatureLast: true },
    { temperature: 3, topK: 20, minP: 0.1000001, dynamicTemperature: { range: 2 }, temperatureLast: true },
  ])('%o', options => {
    fc.assert(
      fc.property(row, logits => {
        expectSame(spread(new Sampler(options), logits), naiveDistribution(logits, options))
      }),
      { numRuns: 300 },
    )
  })

  test('what is off leaves the bits alone', () => {
    const off: SamplingOptions = {
      topNSigma: 0,
      typicalP: 1,
      xtc: { probability: 0 },
      dynamicTemperature: { range: 0 },
      temperatureLast: false,
      dry: { multiplier: 0 },
    }
    const rng = Rng.seeded(3)
    const logits = Float32Array.from({ length: 500 }, () => 10 * rng.next())
    const draw = (options: SamplingOptions) => {
      const sampler = new Sampler({ seed: 4, temperature: 0.7, topP: 0.9, ...options })
      return Array.from({ length: 40 }, () => sampler.sample(logits))
    }
    expect(draw(off)).toEqual(draw({}))
  })

  test('top-n-sigma keeps the same tokens at any temperature', () => {
    fc.assert(
      fc.property(row, between(0.1, 9), (logits, temperature) => {
        const kept = (options: SamplingOptions) => [...new Sampler(options).distribution(logits).ids]
        expect(kept({ topNSigma: 1.2, temperature })).toEqual(kept({ topNSigma: 1.2 }))
      }),
    )
  })
})

describe('xtc', () => {
  test('removes the likeliest tokens as often as its probability says, with one more random number each', () => {
    const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log)
    const sampler = new Sampler({ xtc: { probability: 0.25, threshold: 0.2 }, seed: 11 })
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 40_000; i++) counts[sampler.sample(logits)]!++
    const want = [0.75 * 0.5, 0.75 * 0.3 + 0.25 * 0.6, 0.75 * 0.15 + 0.25 * 0.3, 0.75 * 0.05 + 0.25 * 0.1]
    for (const [i, p] of want.entries()) expect(Math.abs(counts[i]! / 40_000 - p)).toBeLessThan(0.012)
    const rng = Rng.seeded(11)
    for (let i = 0; i < 80_000; i++) rng.next()
    expect(sampler.rng.state).toEqual(rng.state)
  })
})

describe('mirostat 2', () => {
  /** llama.cpp's, with plain arrays: bits of surprise, the bound, and what the draw makes of it. */
  function naiveMirostat(logits: Float32Array, temperature: number, mu: number): number[] {
    const p = softmax([...logits].map(z => z / temperature))
    const best = p.indexOf(Math.max(...p))
    const kept = p.map((x, id) => (id === best || -Math.log2(x) <= mu ? x : 0))
    const total = kept.reduce((a, b) => a + b)
    return kept.map(x => x / total)
  }

  test('each draw is from the tokens below the bound, which follows the surprise', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), between(0.5, 8), between(0, 1), (rows, tau, eta) => {
        const sampler = new Sampler({ mirostat: { tau, eta }, temperature: 0.9, seed: 5 })
        let mu = 2 * tau
        for (const logits of rows) {
          const want = naiveMirostat(logits, 0.9, mu)
          expectSame(spread(sampler, logits), want)
          mu -= eta * (-Math.log2(want[sampler.sample(logits)]!) - tau)
          expect(sampler.mu).toBeCloseTo(mu, 9)
          mu = sampler.mu!
        }
      }),
      { numRuns: 500 },
    )
  })

  test('on a long text the surprise is near tau', () => {
    const rng = Rng.seeded(8)
    const rows = Array.from({ length: 50 }, () => Float32Array.from({ length: 2000 }, () => 6 * rng.next()))
    for (const tau of [3, 6]) {
      const sampler = new Sampler({ mirostat: { tau, eta: 0.1 }, seed: 1 })
      let [sum, n] = [0, 0]
      for (let i = 0; i < 2000; i++) {
        const logits = rows[i % 50]!
        const { ids, probabilities } = sampler.distribution(logits)
        const id = sampler.sample(logits)
        if (i < 200) continue
        sum += -Math.log2(probabilities[ids.indexOf(id)]!)
        n++
      }
      expect(Math.abs(sum / n - tau)).toBeLessThan(0.1)
    }
  })

  test('goes on from a saved bound', () => {
    const logits = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i) * 5)
    const whole = new Sampler({ mirostat: {}, seed: 2 })
    const first = Array.from({ length: 10 }, () => whole.sample(logits))
    const half = new Sampler({ mirostat: {}, seed: 2 })
    for (let i = 0; i < 10; i++) expect(half.sample(logits)).toBe(first[i])
    const rest = new Sampler({ mirostat: {} }, new Rng(half.rng.state), half.mu)
    for (let i = 0; i < 10; i++) expect(rest.sample(logits)).toBe(whole.sample(logits))
    expect(rest.mu).toBe(whole.mu)
  })
})

test('naturalLog is Math.log to one unit in the last place', () => {
  fc.assert(
    fc.property(fc.double({ min: 2 ** -1022, noNaN: true, noDefaultInfinity: true }), x => {
      const want = Math.log(x)
      expect(Math.abs(naturalLog(x) - want)).toBeLessThanOrEqual(Math.abs(want) * 2 ** -52)
    }),
    { numRuns: 20_000 },
  )
  expect([naturalLog(1), naturalLog(2 ** -1022)]).toEqual([0, Math.log(2 ** -1022)])
})

test.each<[SamplingOptions, string]>([
  [{ typicalP: 1.5 }, 'typicalP is 1.5; expected a number from 0 to 1'],
  [{ topNSigma: -1 }, 'topNSigma is -1; expected a finite number of at least 0'],
  [{ xtc: {} as never }, 'xtc.probability is missing; expected a number from 0 to 1'],
  [{ xtc: { probability: 2 } }, 'xtc.probability is 2; expected a number from 0 to 1'],
  [{ xtc: { probabilty: 1 } as never }, 'xtc has no option probabilty; did you mean probability?'],
  [{ dry: { base: 2 } as never }, 'dry.multiplier is missing; expected a finite number of at least 0'],
  [{ dry: { multiplier: 1, base: 0.5 } }, 'dry.base is 0.5; expected a finite number of at least 1'],
  [{ dynamicTemperature: {} as never }, 'dynamicTemperature.range is missing; expected a finite number of at least 0'],
  [{ mirostat: { eta: 2 } }, 'mirostat.eta is 2; expected a number from 0 to 1'],
  [{ mirostat: {}, topP: 0.5 }, 'topP and mirostat were given; mirostat takes the place of topP'],
  [{ mirostat: {}, xtc: { probability: 1 } }, 'xtc and mirostat were given; mirostat takes the place of xtc'],
])('refused: %o', (options, message) => {
  expect(() => new Sampler(options)).toThrow(new OptionError(message))
})
