import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng, randomSeed } from '../../src/sampling/rng.ts'

// As a C++ program with uint32_t prints them.
test('xoshiro128**: the first numbers for the state 1, 2, 3, 4', () => {
  const rng = new Rng([1, 2, 3, 4])
  expect(Array.from({ length: 10 }, () => rng.uint32())).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ])
})

test('seeds go through splitmix64: its published first numbers for 1234567', () => {
  const [a, b, c, d] = Rng.seeded(1234567).state.map(BigInt)
  expect([a! | (b! << 32n), c! | (d! << 32n)]).toEqual([6457827717110365317n, 3203168211198807973n])
})

describe('seeds', () => {
  test('64 bits of them count, negative ones too', () => {
    const first = (seed: number | bigint) => Rng.seeded(seed).uint32()
    expect(first(-1)).toBe(first(2n ** 64n - 1n))
    expect(first(7)).toBe(first(7n))
    expect(first(2n ** 64n + 7n)).toBe(first(7))
    expect(new Set([0, 1, 2n ** 32n, 2n ** 63n, -5].map(first)).size).toBe(5)
  })

  test('what is no integer is refused', () => {
    for (const seed of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1' as never]) {
      expect(() => Rng.seeded(seed)).toThrow(/^seed is .*; expected an integer/)
    }
  })

  test('random ones are safe integers and differ', () => {
    const seeds = Array.from({ length: 50 }, randomSeed)
    expect(new Set(seeds).size).toBe(50)
    expect(seeds.every(seed => Number.isSafeInteger(seed) && seed >= 0)).toBe(true)
  })
})

test('numbers lie in [0, 1), evenly', () => {
  const rng = Rng.seeded(3)
  const bins = new Array<number>(64).fill(0)
  const n = 64_000
  for (let i = 0; i < n; i++) {
    const x = rng.next()
    if (!(x >= 0 && x < 1)) expect(x).toBe('in [0, 1)')
    bins[Math.floor(x * 64)]!++
  }
  // 63 degrees of freedom: beyond 103 once in a thousand seeds; this one is fixed.
  expect(bins.reduce((sum, count) => sum + (count - n / 64) ** 2 / (n / 64), 0)).toBeLessThan(103)
})

test('a saved state continues the stream, through JSON', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }), fc.nat(20), (seed, skip) => {
      const rng = Rng.seeded(seed)
      for (let i = 0; i < skip; i++) rng.next()
      const again = new Rng(JSON.parse(JSON.stringify(rng.state)))
      const fork = rng.clone()
      const rest = Array.from({ length: 5 }, () => rng.next())
      expect(Array.from({ length: 5 }, () => again.next())).toEqual(rest)
      expect(Array.from({ length: 5 }, () => fork.next())).toEqual(rest)
    }),
  )
})

test('a state that cannot be one is refused', () => {
  for (const state of [
    [0, 0, 0, 0],
    [1, 2, 3],
    [1, 2, 3, 0.5],
  ]) {
    expect(() => new Rng(state as never)).toThrow(/expected four integers, not all 0/)
  }
})
