import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Demand, MAX_STEPS_WAITED, schedule } from '../../src/engine/loop/scheduler.ts'
import { PATH_GRID } from '../../src/nn/attention/path.ts'

const generating = (position: number, more: Partial<Demand> = {}): Demand => {
  return { position, promptLeft: 0, pending: 1, draftTokens: 0, priority: 0, stepsWaited: 0, ...more }
}
const reading = (position: number, promptLeft: number, more: Partial<Demand> = {}): Demand => {
  return { position, promptLeft, pending: 0, draftTokens: 0, priority: 0, stepsWaited: 0, ...more }
}

/** Tokens by sequence. */
function counts(sequences: readonly Demand[], budget: number): number[] {
  const given = sequences.map(() => 0)
  for (const { index, count } of schedule(sequences, budget)) given[index] = (given[index] as number) + count
  return given
}

describe('schedule', () => {
  it('lets every text go on while a prompt is read, all within the budget', () => {
    const sequences = [generating(10), reading(0, 5000), generating(99, { pending: 2 })]
    expect(counts(sequences, 512 + 3)).toEqual([1, 512, 2])
    expect(counts(sequences, 512)).toEqual([1, 384, 2])
    expect(counts([generating(1), generating(2), generating(3)], 2)).toEqual([1, 1, 0])
  })

  it('ends chunks on the grid, first at the next line of it', () => {
    expect(counts([reading(200, 1000)], 512)).toEqual([4 * PATH_GRID + 128 - 200])
    expect(counts([reading(100, 90)], 512)).toEqual([90])
  })

  it('cuts a cell when a chunk is smaller than one', () => {
    expect(counts([reading(0, 1000)], 50)).toEqual([50])
    expect(counts([reading(100, 1000)], 50)).toEqual([28])
  })

  it('shares the chunk between prompts, a short one leaving its rest to the next', () => {
    expect(counts([reading(0, 9000), reading(0, 9000)], 512)).toEqual([256, 256])
    expect(counts([reading(0, 10), reading(0, 9000)], 512)).toEqual([10, 384])
  })

  it('gives no prompt less than a cell; those who got nothing come first in the next step', () => {
    const prompts = Array.from({ length: 6 }, () => reading(0, 9000))
    expect(counts(prompts, 512)).toEqual([128, 128, 128, 128, 0, 0])
    const next = prompts.map((prompt, i) => ({ ...prompt, stepsWaited: i < 4 ? 0 : 1 }))
    expect(counts(next, 512)).toEqual([128, 128, 0, 0, 128, 128])
  })

  it('gives the higher priority all it can use, and the rest to the next', () => {
    expect(counts([reading(0, 9000), reading(0, 9000, { priority: 1 })], 512)).toEqual([0, 512])
    expect(counts([reading(0, 9000), reading(0, 200, { priority: 1 })], 512)).toEqual([256, 200])
    expect(counts([generating(5), generating(6, { priority: 3 })], 1)).toEqual([0, 1])
    // A text's next token is not kept waiting by any prompt.
    expect(counts([generating(5, { priority: -2 }), reading(0, 9000, { priority: 9 })], 512)).toEqual([1, 384])
  })

  it('lets those who have waited long come first, with a cell', () => {
    const low = reading(0, 9000, { stepsWaited: MAX_STEPS_WAITED })
    expect(counts([reading(0, 9000, { priority: 5 }), low], 512)).toEqual([384, 128])
    expect(schedule([reading(0, 9000, { priority: 5 }), low], 512)[0]).toEqual({ index: 1, count: 128, draftTokens: 0 })
  })

  it('lets texts guess with what nobody else wants', () => {
    const texts = [generating(10, { draftTokens: 4 }), generating(20, { draftTokens: 4 })]
    expect(schedule(texts, 512).map(({ draftTokens }) => draftTokens)).toEqual([4, 4])
    expect(schedule(texts, 7).map(({ draftTokens }) => draftTokens)).toEqual([4, 1])
    expect(schedule([...texts, reading(0, 9000)], 2 + 512).map(({ draftTokens }) => draftTokens)).toEqual([0, 0, 0])
  })

  const waiting = fc.oneof(
    fc.record({
      position: fc.nat(5000),
      promptLeft: fc.integer({ min: 1, max: 5000 }),
      pending: fc.constant(0),
      draftTokens: fc.constant(0),
      priority: fc.integer({ min: -2, max: 2 }),
      stepsWaited: fc.nat(MAX_STEPS_WAITED + 4),
    }),
    fc.record({
      position: fc.nat(5000),
      promptLeft: fc.constant(0),
      pending: fc.integer({ min: 0, max: 3 }),
      draftTokens: fc.nat(15),
      priority: fc.integer({ min: -2, max: 2 }),
      stepsWaited: fc.nat(MAX_STEPS_WAITED + 4),
    }),
  )
  const budget = fc.integer({ min: 1, max: 2000 })

  it('keeps to the budget and to what is wanted, names nobody twice, and always gets on', () => {
    fc.assert(
      fc.property(fc.array(waiting, { maxLength: 12 }), budget, (sequences, tokens) => {
        const turns = schedule(sequences, tokens)
        expect(new Set(turns.map(({ index }) => index)).size).toBe(turns.length)
        for (const { index, count, draftTokens } of turns) {
          const { promptLeft, pending } = sequences[index] as Demand
          expect(count).toBeGreaterThan(0)
          expect(count).toBeLessThanOrEqual(promptLeft || pending)
          expect(draftTokens).toBeLessThanOrEqual((sequences[index] as Demand).draftTokens)
          // A guess never costs another a token.
          const without = schedule(
            sequences.map(one => ({ ...one, draftTokens: 0 })),
            tokens,
          )
          expect(turns.map(turn => ({ ...turn, draftTokens: 0 }))).toEqual(without)
        }
        expect(turns.reduce((sum, { count, draftTokens }) => sum + count + draftTokens, 0)).toBeLessThanOrEqual(tokens)
        expect(turns.length > 0).toBe(sequences.some(({ promptLeft, pending }) => promptLeft + pending > 0))
      }),
    )
  })

  it('takes nothing from a higher priority for a lower one that has not waited long', () => {
    fc.assert(
      fc.property(fc.array(waiting, { maxLength: 12 }), budget, (all, tokens) => {
        const prompts = all.filter(({ promptLeft, stepsWaited }) => promptLeft > 0 && stepsWaited < MAX_STEPS_WAITED)
        const given = counts(prompts, tokens)
        for (const least of [-1, 0, 1, 2]) {
          const high = prompts.filter(({ priority }) => priority >= least)
          expect(given.filter((_, i) => (prompts[i] as Demand).priority >= least)).toEqual(counts(high, tokens))
        }
      }),
    )
  })

  it('starves nobody, whatever the priorities and the budget', () => {
    const lives = fc.array(
      fc.record({
        prompt: fc.integer({ min: 1, max: 3000 }),
        text: fc.integer({ min: 0, max: 30 }),
        priority: fc.integer({ min: -3, max: 3 }),
      }),
      { minLength: 1, maxLength: 10 },
    )
    fc.assert(
      fc.property(lives, fc.integer({ min: 1, max: 600 }), (all, tokens) => {
        let running = all.map(({ prompt, text, priority }) => ({ ...reading(0, prompt, { priority }), text }))
        for (let step = 0; step < 200; step++) {
          const given = counts(running, tokens)
          running = running.map((one, i) => {
            const count = given[i] as number
            if (count === 0) return { ...one, stepsWaited: one.stepsWaited + 1 }
            const [position, promptLeft] = [one.position + count, Math.max(one.promptLeft - count, 0)]
            // With others coming all the time: a text that has ended is followed by another prompt.
            if (promptLeft > 0) return { ...one, position, promptLeft, stepsWaited: 0 }
            if (one.text > 0) return { ...one, position, promptLeft, pending: 1, text: one.text - 1, stepsWaited: 0 }
            return { ...one, position: 0, promptLeft: 500, pending: 0, text: 20, stepsWaited: 0 }
          })
          for (const { stepsWaited } of running) expect(stepsWaited).toBeLessThanOrEqual(MAX_STEPS_WAITED + all.length)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('cuts no cell in two with chunks of whole cells', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 6 }), (at, left, n) => {
        const [count] = counts([reading(at, left)], n * PATH_GRID) as [number]
        const end = at + count
        expect(count === left || end % PATH_GRID === 0).toBe(true)
      }),
    )
  })
})
