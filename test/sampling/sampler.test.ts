import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { SamplingError } from '../../src/sampling/errors.ts'
import type { SamplingOptions } from '../../src/sampling/options.ts'
import { TokenHistory } from '../../src/sampling/penalties.ts'
import { Rng } from '../../src/sampling/rng.ts'
import { argmax, Sampler } from '../../src/sampling/sampler.ts'
import { naiveDistribution } from './naive.ts'

const MASKED = Number.NEGATIVE_INFINITY

/** Rows as models give them: spread out, with equal values, with masked tokens, of any length. */
const row = fc
  .oneof(
    fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 300 }),
    fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 300 }),
    fc.array(fc.oneof(fc.float({ min: -8, max: 8, noNaN: true }), fc.constant(MASKED)), {
      minLength: 1,
      maxLength: 300,
    }),
  )
  .map(values => Float32Array.from(values))
  .filter(values => values.some(value => value > MASKED))

/** Sums are compared with topP: 0.3 of ten equal tokens is decided by rounding, this is not. */
const share = fc.double({ min: 0.001, max: 0.999, noNaN: true }).map(x => x + 1e-7)

const options: fc.Arbitrary<SamplingOptions> = fc.record(
  {
    temperature: fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0.05, max: 5, noNaN: true })),
    topK: fc.oneof(fc.nat(5), fc.nat(300)),
    topP: share,
    minP: share,
    repetitionPenalty: fc.double({ min: 0.5, max: 2, noNaN: true }),
    presencePenalty: fc.double({ min: -2, max: 2, noNaN: true }),
    frequencyPenalty: fc.double({ min: -2, max: 2, noNaN: true }),
  },
  { requiredKeys: [] },
)

/** By id, as naiveDistribution gives it. */
function spread(sampler: Sampler, logits: Float32Array, history?: TokenHistory): number[] {
  const { ids, probabilities } = sampler.distribution(logits, history)
  const all = new Array<number>(logits.length).fill(0)
  for (const [i, id] of ids.entries()) all[id] = probabilities[i]!
  expect([...ids]).toEqual([...new Set(ids)].sort((a, b) => a - b))
  return all
}

function expectSame(got: number[], want: number[]): void {
  expect(got.length).toBe(want.length)
  for (let i = 0; i < want.length; i++) {
    if (Math.abs(got[i]! - want[i]!) > 1e-12 + 1e-10 * want[i]!) expect({ i, got, want }).toBe('equal')
  }
}

describe('the distribution is what the options say', () => {
  test('all options at once, on any row', () => {
    fc.assert(
      fc.property(row, options, fc.array(fc.nat(299), { maxLength: 20 }), fc.nat(20), (logits, options, ids, cut) => {
        const seen = ids.filter(id => id < logits.length)
        const [prompt, answer] = [seen.slice(0, cut), seen.slice(cut)]
        const history = new TokenHistory(prompt)
        history.answer.push(...answer)
        const before = logits.slice()
        const got = spread(new Sampler(options), logits, history)
        expectSame(got, naiveDistribution(logits, options, prompt, answer))
        expect(logits).toEqual(before)
      }),
      { numRuns: 3000 },
    )
  })

  test.each<SamplingOptions>([
    { topK: 7 },
    { topP: 0.600_000_1 },
    { minP: 0.2 },
    { temperature: 0.3 },
    { repetitionPenalty: 1.3 },
    { presencePenalty: 0.7 },
    { frequencyPenalty: 0.4 },
  ])('%o alone', options => {
    fc.assert(
      fc.property(row, logits => {
        const history = new TokenHistory([0])
        const answer = [0, 1, 1].filter(id => id < logits.length)
        history.answer.push(...answer)
        expectSame(spread(new Sampler(options), logits, history), naiveDistribution(logits, options, [0], answer))
      }),
      { numRuns: 300 },
    )
  })

  test('a row as long as a real vocabulary', () => {
    const rng = Rng.seeded(11)
    const logits = Float32Array.from({ length: 50_000 }, () => 12 * (rng.next() + rng.next() + rng.next() - 1.5))
    for (const options of [
      { topP: 0.9 },
      { topK: 50 },
      { topK: 20_000, topP: 0.999 },
      { minP: 0.01 },
      { topP: 0.5, temperature: 9 },
    ]) {
      expectSame(spread(new Sampler(options), logits), naiveDistribution(logits, options))
    }
  })

  test('a bias; an id beyond the vocabulary is an error', () => {
    const logits = Float32Array.of(1, 2, 3, 0)
    const options = { logitBias: { 0: 2.5, 2: MASKED, 3: -100 } }
    const got = spread(new Sampler(options), logits)
    expectSame(got, naiveDistribution(logits, options))
    expect(got[2]).toBe(0)
    expect(() => new Sampler({ logitBias: { 4: 1 } }).sample(logits)).toThrow(
      new OptionError('logitBias has the id 4; expected one below 4'),
    )
  })
})

describe('penalties of any size', () => {
  const history = new TokenHistory([0, 1])
  const draw = (repetitionPenalty: number, logits: Float32Array, temperature = 1) =>
    new Sampler({ repetitionPenalty, temperature, seed: 1 }).sample(logits, history)

  test('leave logits finite: the model is not blamed, and no token is forbidden', () => {
    for (const temperature of [0, 1]) {
      expect(draw(1e-300, Float32Array.of(3, -2, 5), temperature)).toBe(0)
      expect(draw(1e300, Float32Array.of(-3, -2, Number.NEGATIVE_INFINITY), temperature)).toBeLessThan(2)
    }
  })

  test('keep what is forbidden, and report what has overflowed', () => {
    const forbidden = Float32Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, -5)
    expect(draw(1e-300, forbidden)).toBe(2)
    for (const logit of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => draw(1e300, Float32Array.of(logit, 0, 0))).toThrow("the model's numbers have overflowed")
    }
  })
})

describe('greedy', () => {
  test('the highest logit, the lowest id among equals, whatever else is set', () => {
    fc.assert(
      fc.property(row, logits => {
        const best = logits.indexOf(logits.reduce((a, b) => Math.max(a, b)))
        expect(argmax(logits)).toBe(best)
        expect(new Sampler({ temperature: 0, topK: 3, topP: 0.1, minP: 0.9 }).sample(logits)).toBe(best)
        expect(new Sampler({ topK: 1 }).sample(logits)).toBe(best)
        expect(new Sampler({ topP: 0 }).sample(logits)).toBe(best)
      }),
    )
  })

  test('-0 and 0 are equal', () => {
    expect(argmax(Float32Array.of(-0, 0, -0))).toBe(0)
    expect([...new Sampler({ topK: 2 }).distribution(Float32Array.of(-0, 0, -0)).ids]).toEqual([0, 1])
  })

  test('does not use the generator', () => {
    const rng = Rng.seeded(1)
    new Sampler({ temperature: 0 }, rng).sample(Float32Array.of(1, 2))
    expect(rng.state).toEqual(Rng.seeded(1).state)
  })
})

describe('drawing', () => {
  /** Pearson's chi-square of n draws against the distribution; tokens of less than five expected draws are pooled. */
  function chiSquare(logits: Float32Array, options: SamplingOptions, n: number): { x: number; freedom: number } {
    const expected = naiveDistribution(logits, options).map(p => p * n)
    const sampler = new Sampler(options)
    const counts = new Array<number>(logits.length).fill(0)
    for (let i = 0; i < n; i++) counts[sampler.sample(logits)]!++
    let [x, freedom, pooled, pooledExpected] = [0, -1, 0, 0]
    for (let id = 0; id < logits.length; id++) {
      if (expected[id] === 0) expect(counts[id], `token ${id} is not to be drawn`).toBe(0)
      if (expected[id]! >= 5) {
        x += (counts[id]! - expected[id]!) ** 2 / expected[id]!
        freedom++
      } else {
        pooled += counts[id]!
        pooledExpected += expected[id]!
      }
    }
    if (pooledExpected >= 5) {
      x += (pooled - pooledExpected) ** 2 / pooledExpected
      freedom++
    }
    return { x, freedom }
  }

  const rng = Rng.seeded(42)
  const logits = Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 4 ? MASKED : 6 * (rng.next() - 0.5)))

  test.each<SamplingOptions>([
    {},
    { temperature: 0.5 },
    { temperature: 2 },
    { topK: 10 },
    { topP: 0.8 },
    { minP: 0.1 },
    { temperature: 1.5, topK: 40, topP: 0.95, minP: 0.02 },
  ])('%o: as often as the probabilities say', options => {
    const { x, freedom } = chiSquare(logits, { ...options, seed: 20261122 }, 40_000)
    // Wilson and Hilferty: beyond it once in ten thousand seeds; this one is fixed.
    const limit = freedom * (1 - 2 / (9 * freedom) + 3.72 * Math.sqrt(2 / (9 * freedom))) ** 3
    expect(freedom).toBeGreaterThan(3)
    expect(x).toBeLessThan(limit)
  })

  test('the same seed, the same tokens; another seed, others', () => {
    const draw = (seed: number | bigint) => {
      const sampler = new Sampler({ seed, topP: 0.9 })
      return Array.from({ length: 50 }, () => sampler.sample(logits))
    }
    expect(draw(5)).toEqual(draw(5n))
    expect(draw(5)).not.toEqual(draw(6))
    // Written down: a change of these is a change of every seeded text.
    expect(draw(5).slice(0, 12)).toEqual([45, 37, 37, 55, 32, 56, 35, 7, 45, 63, 16, 33])
  })

  test('without a seed there is one, and it gives the same tokens again', () => {
    const first = new Sampler({})
    const second = new Sampler({ seed: first.seed! })
    expect(new Sampler({}).seed).not.toBe(first.seed)
    for (let i = 0; i < 20; i++) expect(first.sample(logits)).toBe(second.sample(logits))
  })

  test('a sampler keeps nothing of a row but its generator', () => {
    const rng = Rng.seeded(9)
    const sampler = new Sampler({ seed: 9, topK: 20, minP: 0.01 })
    for (let i = 0; i < 20; i++)
      expect(new Sampler({ topK: 20, minP: 0.01 }, rng).sample(logits)).toBe(sampler.sample(logits))
  })

  test('rows of different lengths, one after the other', () => {
    const sampler = new Sampler({ seed: 1, topP: 0.9, repetitionPenalty: 1.1 })
    const history = new TokenHistory([0, 60])
    for (const length of [64, 3, 64, 1, 10]) {
      expect(sampler.sample(logits.slice(0, length), history)).toBeLessThan(length)
    }
  })
})

describe('rows nothing can be drawn from', () => {
  test.each<[string, number[], RegExp]>([
    ['NaN', [1, Number.NaN, 2], /^The logit of token 1 is NaN; expected a finite number or -Infinity/],
    ['NaN first', [Number.NaN], /^The logit of token 0 is NaN/],
    ['+Infinity', [1, Number.POSITIVE_INFINITY], /^The logit of token 1 is Infinity/],
    ['all masked', [MASKED, MASKED], /^Every token is masked: all logits are -Infinity/],
  ])('%s', (_, values, message) => {
    for (const temperature of [0, 1]) {
      const run = () => new Sampler({ temperature, topK: 2, topP: 0.5 }).sample(Float32Array.from(values))
      expect(run).toThrow(SamplingError)
      expect(run).toThrow(message)
    }
  })

  test('none at all', () => {
    expect(() => new Sampler().sample(new Float32Array(0))).toThrow(
      new OptionError('There are no logits; expected one per token of the vocabulary'),
    )
  })

  test('everything forbidden by bias', () => {
    const logitBias = { 0: MASKED, 1: MASKED }
    expect(() => new Sampler({ logitBias }).sample(Float32Array.of(1, 2))).toThrow(/^Every token is masked/)
  })
})

test('extreme numbers', () => {
  const huge = Float32Array.of(3e38, -3e38, 3e38, MASKED)
  for (const temperature of [1e-300, 1e-9, 1, 1e300]) {
    expectSame(spread(new Sampler({ temperature, topK: 2 }), huge), [0.5, 0, 0.5, 0])
  }
  expectSame(spread(new Sampler({ temperature: 1e300 }), Float32Array.of(1, 2, MASKED)), [0.5, 0.5, 0])
  expect(new Sampler({ temperature: 1e-300 }).sample(Float32Array.of(1, 2, 1))).toBe(1)
})

test('history: the answer is counted once, after what it had before; what is cut off stays counted', () => {
  const history = new TokenHistory([1, 1], [[2, 1]])
  history.answer.push(2, 3)
  expect([[...history.prompt], [...history.counts]]).toEqual([
    [1],
    [
      [2, 2],
      [3, 1],
    ],
  ])
  history.answer.push(3)
  history.cut(1, [7, 8, 9])
  expect(history.answer).toEqual([2, 7, 8, 9])
  expect([...history.counts]).toEqual([
    [2, 2],
    [3, 2],
  ])
})
