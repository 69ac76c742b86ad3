/** Banned texts, least tokens and the budget of reasoning, as properties of the texts that are drawn under them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BannedTexts } from '../../src/sampling/banned-texts.ts'
import { Sampler, type TokenRule } from '../../src/sampling/sampler.ts'
import { LeastTokens, ReasoningBudget } from '../../src/sampling/text-rules.ts'
import { tableOf } from './tokens.ts'

const MASKED = Number.NEGATIVE_INFINITY

/** Draws from equal logits. */
function draw(count: number, vocab: number, rules: readonly TokenRule[], seed: number): number[] {
  const sampler = new Sampler({ seed })
  const logits = new Float32Array(vocab)
  return Array.from({ length: count }, () => {
    const id = sampler.sample(logits, undefined, rules)
    for (const rule of rules) rule.accept(id)
    return id
  })
}

describe('banned texts', () => {
  const utf8 = new TextEncoder()
  /** Letters alone and joined, and a character in two halves. */
  const TOKENS = ['a', 'b', 'ab', 'ba', 'aab', '', utf8.encode('é').slice(0, 1), utf8.encode('é').slice(1), 'c']
  const TABLE = tableOf(TOKENS)
  const textOf = (ids: readonly number[]) => {
    const parts = ids.map(id => TOKENS[id]!)
    const bytes = parts.flatMap(part => [...(typeof part === 'string' ? utf8.encode(part) : part)])
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
  }
  const banned = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', 'c'), minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  })

  test('exactly the tokens that would complete one are forbidden', () => {
    fc.assert(
      fc.property(banned, fc.array(fc.nat(TOKENS.length - 1), { maxLength: 8 }), (texts, before) => {
        const logits = new Float32Array(TOKENS.length)
        new BannedTexts(texts, TABLE, before).apply(logits)
        const occurrences = (text: string) => texts.reduce((n, one) => n + countOf(text, one), 0)
        for (const [id, logit] of logits.entries()) {
          const completes = occurrences(textOf([...before, id])) > occurrences(textOf(before))
          expect({ id, forbidden: logit === MASKED }).toEqual({ id, forbidden: completes })
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('never appear, wherever they are cut', () => {
    fc.assert(
      fc.property(banned, fc.nat(1000), (texts, seed) => {
        // One token has no text, so that something is always allowed.
        const text = textOf(draw(60, TOKENS.length, [new BannedTexts(texts, TABLE, [])], seed))
        for (const one of texts) expect(text).not.toContain(one)
      }),
      { numRuns: 200 },
    )
  })

  /** Overlapping ones count. */
  function countOf(text: string, part: string): number {
    let count = 0
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++
    return count
  }
})

describe('least tokens', () => {
  test('no end before them', () => {
    for (let seed = 0; seed < 50; seed++) {
      const ids = draw(20, 4, [new LeastTokens(7, new Set([0, 3, 99]))], seed)
      expect(ids.slice(0, 7).every(id => id === 1 || id === 2)).toBe(true)
    }
    expect(draw(400, 4, [new LeastTokens(7, new Set([0]))], 1)).toContain(0)
  })

  test('unless nothing else is allowed', () => {
    const logits = Float32Array.of(1, MASKED, MASKED)
    new LeastTokens(5, new Set([0])).apply(logits)
    expect(logits[0]).toBe(1)
  })
})

describe('the budget of reasoning', () => {
  const [OPEN, CLOSE_1, CLOSE_2] = [0, 1, 2]
  const marks = { open: [OPEN], close: [CLOSE_1, CLOSE_2] }

  test('is never exceeded, and the end mark follows whole', () => {
    fc.assert(
      fc.property(fc.nat(12), fc.array(fc.nat(5), { maxLength: 20 }), fc.nat(1000), (budget, before, seed) => {
        const ids = [...before, ...draw(80, 6, [new ReasoningBudget(budget, marks, before)], seed)]
        let count: number | null = null
        for (const [i, id] of ids.entries()) {
          const closes = id === CLOSE_2 && ids[i - 1] === CLOSE_1
          if (id === OPEN) count = 0
          else if (closes) count = null
          else if (count !== null) count++
          // The first token of the mark is counted until the second comes; what the prompt has is not the rule's doing.
          if (count !== null && i >= before.length + budget + marks.close.length) {
            expect(count).toBeLessThanOrEqual(budget + 1)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('counts what the prompt has opened; what is closed is free', () => {
    const allowed = (before: number[], budget: number) => {
      const logits = new Float32Array(6)
      new ReasoningBudget(budget, marks, before).apply(logits)
      return [...logits.keys()].filter(id => logits[id]! > MASKED)
    }
    const all = [0, 1, 2, 3, 4, 5]
    expect(allowed([3, OPEN, 4, 4], 3)).toEqual(all)
    expect(allowed([3, OPEN, 4, 4], 2)).toEqual([CLOSE_1])
    expect(allowed([3, OPEN], 0)).toEqual([CLOSE_1])
    expect(allowed([3, OPEN, 4, CLOSE_1], 1)).toEqual([CLOSE_2])
    expect(allowed([OPEN, 4, CLOSE_1, CLOSE_2, 5, 5, 5], 1)).toEqual(all)
    expect(allowed([3, 4, 5], 0)).toEqual(all)
  })
})
