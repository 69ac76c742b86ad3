import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBefore, selectTop } from '../../src/sampling/candidates.ts'
import { expNegative } from '../../src/sampling/exp.ts'
import { logprobs } from '../../src/sampling/logprobs.ts'
import { softmax } from './naive.ts'

describe('expNegative', () => {
  test('is e^x to 4e-15', () => {
    for (let i = 0; i <= 700_000; i++) {
      const x = -i / 1000
      const want = Math.exp(x)
      if (!(Math.abs(expNegative(x) - want) <= 4e-15 * want)) expect([x, expNegative(x)]).toEqual([x, want])
    }
  })

  test('at the ends', () => {
    expect([expNegative(0), expNegative(-0)]).toEqual([1, 1])
    expect([expNegative(-800), expNegative(-1e300), expNegative(Number.NEGATIVE_INFINITY)]).toEqual([0, 0, 0])
    expect(expNegative(-5e-324)).toBe(1)
  })

  test('never rises as x falls', () => {
    let previous = 1
    for (let i = 0; i < 300_000; i++) {
      const value = expNegative(-i * 1e-4)
      if (!(value <= previous)) expect([i, value]).toEqual([i, previous])
      previous = value
    }
  })
})

describe('selectTop', () => {
  const keys = fc
    .array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 200 })
    .map(k => Float32Array.from(k))
  const inOrder = (logits: Float32Array) =>
    [...logits.keys()].sort((a, b) => (isBefore(a, b, logits) ? -1 : isBefore(b, a, logits) ? 1 : 0))

  test('by number: the first k of the order', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 220 }), (logits, k) => {
        const ids = Int32Array.from(logits.keys())
        const count = selectTop(ids, ids.length, logits, k)
        expect(count).toBe(Math.min(k, logits.length))
        expect([...ids.slice(0, count)].sort((a, b) => a - b)).toEqual(
          inOrder(logits)
            .slice(0, k)
            .sort((a, b) => a - b),
        )
        expect([...ids].sort((a, b) => a - b)).toEqual([...logits.keys()])
      }),
      { numRuns: 2000 },
    )
  })

  test('by weight: the shortest beginning that reaches the sum', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: 2000 }), (logits, target) => {
        // Whole numbers, so that no sum is rounded.
        const weights = Float64Array.from(logits, key => (key + 5) * 3)
        const order = inOrder(logits)
        let sum = 0
        const reached = order.findIndex(id => {
          sum += weights[id]!
          return sum >= Math.max(target, 1e-300)
        })
        const ids = Int32Array.from(logits.keys())
        const count = selectTop(ids, ids.length, logits, target, weights)
        expect(count).toBe(reached < 0 ? logits.length : reached + 1)
        expect(new Set(ids.slice(0, count))).toEqual(new Set(order.slice(0, count)))
      }),
      { numRuns: 2000 },
    )
  })

  test('rows in order, in reverse and all equal take linear time', () => {
    const n = 200_000
    for (const key of [(i: number) => i, (i: number) => -i, () => 0, (i: number) => Math.abs(i - n / 2)]) {
      const logits = Float32Array.from({ length: n }, (_, i) => key(i))
      const started = performance.now()
      expect(selectTop(Int32Array.from(logits.keys()), n, logits, n / 2)).toBe(n / 2)
      // Milliseconds; a quadratic run would take minutes.
      expect(performance.now() - started).toBeLessThan(2000)
    }
  })
})

describe('logprobs', () => {
  const row = fc
    .array(fc.oneof(fc.float({ min: -30, max: 30, noNaN: true }), fc.constant(Number.NEGATIVE_INFINITY)), {
      minLength: 1,
      maxLength: 80,
    })
    .map(values => Float32Array.from(values))
    .filter(values => values.some(value => value > Number.NEGATIVE_INFINITY))

  test('are the logarithms of the softmax; the best first, the lowest id among equals', () => {
    fc.assert(
      fc.property(row, fc.nat(79), fc.nat(90), (logits, at, top) => {
        const id = at % logits.length
        const want = softmax([...logits]).map(Math.log)
        const got = logprobs(logits, id, top)
        const close = (a: number, b: number) => a === b || Math.abs(a - b) <= 1e-9 * (1 + Math.abs(b))
        expect(got.id).toBe(id)
        expect(close(got.logprob, want[id]!)).toBe(true)
        const order = [...logits.keys()].sort((a, b) => (isBefore(a, b, logits) ? -1 : 1)).slice(0, top)
        expect(got.top.map(entry => entry.id)).toEqual(order)
        for (const entry of got.top) expect(close(entry.logprob, want[entry.id]!)).toBe(true)
      }),
    )
  })

  test('refused: tokens that are not there, rows without one', () => {
    const logits = Float32Array.of(1, 2)
    expect(() => logprobs(logits, 2)).toThrow('The token is 2; expected an id below 2')
    expect(() => logprobs(logits, 0, -1)).toThrow('top is -1; expected a whole number of at least 0')
    expect(() => logprobs(Float32Array.of(Number.NaN), 0)).toThrow('The logit of token 0 is NaN')
  })
})
