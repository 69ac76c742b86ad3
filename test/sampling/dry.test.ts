/** DRY against its definition: every earlier place, every length, by comparing one token after the other. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Dry } from '../../src/sampling/dry.ts'
import type { DryOptions } from '../../src/sampling/options.ts'
import { tableOf } from './tokens.ts'

/** Tokens by id; the last ones hold breakers, alone and in pieces. */
const TEXTS = ['a', 'b', 'c', ' d', 'e\n', 'x', 'y', 'zx', 'yz']
const TABLE = tableOf(TEXTS)
const VOCAB = TEXTS.length

/** The penalty of each token that comes after `ids`. */
function naivePenalties(ids: readonly number[], options: DryOptions): number[] {
  const {
    multiplier,
    base = 1.75,
    allowedLength = 2,
    sequenceBreakers = ['\n', ':', '"', '*'],
    lastN = ids.length,
  } = options
  const window = lastN === 0 ? [] : ids.slice(-lastN)
  /** Whether a breaker ends in the token at this index of all ids. */
  const breaksAt = (index: number) => {
    const before = ids
      .slice(0, index)
      .map(id => TEXTS[id]!)
      .join('')
    const whole = before + TEXTS[ids[index]!]!
    return sequenceBreakers.some(text => {
      const at = whole.lastIndexOf(text)
      return at >= 0 && at + text.length > before.length
    })
  }
  const lastBreak = ids.findLastIndex((_, i) => breaksAt(i))
  const most = Math.min(ids.length - 1 - lastBreak, window.length)
  return Array.from({ length: VOCAB }, (_, token) => {
    if (sequenceBreakers.some(text => TEXTS[token]!.includes(text))) return 0
    let longest = 0
    for (let at = 0; at < window.length; at++) {
      if (window[at] !== token) continue
      let length = 0
      while (length < at && length < most && window[at - 1 - length] === window[window.length - 1 - length]) length++
      longest = Math.max(longest, length)
    }
    return longest >= allowedLength ? multiplier * base ** (longest - allowedLength) : 0
  })
}

function penalties(ids: readonly number[], options: DryOptions): number[] {
  const logits = new Float32Array(VOCAB)
  new Dry(options, () => ids, ids, TABLE).apply(logits)
  return Array.from(logits, logit => 0 - logit)
}

const ids = fc.array(fc.oneof({ weight: 6, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(VOCAB - 1) }), {
  maxLength: 60,
})
const options: fc.Arbitrary<DryOptions> = fc.record(
  {
    multiplier: fc.double({ min: 0.1, max: 2, noNaN: true }),
    base: fc.double({ min: 1, max: 3, noNaN: true }),
    allowedLength: fc.integer({ min: 1, max: 4 }),
    sequenceBreakers: fc.subarray(['\n', 'xy', ' d', 'zxyz']),
    lastN: fc.nat(70),
  },
  { requiredKeys: ['multiplier'] },
)

describe('dry', () => {
  test('any text, any options: what the definition gives', () => {
    fc.assert(
      fc.property(ids, options, (ids, options) => {
        const want = naivePenalties(ids, options)
        for (const [id, got] of penalties(ids, options).entries()) {
          expect(Math.abs(got - want[id]!)).toBeLessThanOrEqual(1e-6 * want[id]!)
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('token by token as all at once', () => {
    fc.assert(
      fc.property(ids, options, fc.nat(60), (ids, options, from) => {
        const text = ids.slice(0, from)
        const grown = new Dry(options, () => text, text, TABLE)
        for (const id of ids.slice(from)) {
          grown.apply(new Float32Array(VOCAB))
          grown.accept(id)
          text.push(id)
        }
        const logits = new Float32Array(VOCAB)
        grown.apply(logits)
        expect(Array.from(logits, logit => 0 - logit)).toEqual(penalties(ids, options))
      }),
    )
  })

  test('a text that repeats itself', () => {
    // a b c a b: c followed "a b" before.
    expect(penalties([0, 1, 2, 0, 1], { multiplier: 0.8 })).toEqual([0, 0, Math.fround(0.8), 0, 0, 0, 0, 0, 0])
    expect(penalties([0, 1, 2, 0, 1], { multiplier: 0.8, allowedLength: 3 })).toEqual(new Array(9).fill(0))
    // c a b c a b: three tokens, one more than is allowed.
    expect(penalties([2, 0, 1, 2, 2, 0, 1], { multiplier: 1, base: 2 })[2]).toBe(2)
  })

  test('a very long repetition leaves a finite logit', () => {
    const logits = new Float32Array(VOCAB)
    const ids = new Array<number>(20_000).fill(0)
    const started = performance.now()
    new Dry({ multiplier: 1 }, () => ids, ids, TABLE).apply(logits)
    expect(performance.now() - started).toBeLessThan(500)
    expect(logits[0]).toBe(Math.fround(-1e30))
  })
})
