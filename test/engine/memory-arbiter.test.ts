/** The rule of who gives up memory for whom, over all facts there may be. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitrate, type MemoryClaim, type MemoryFacts } from '../../src/engine/loop/memory-arbiter.ts'

const claim = (more: Partial<MemoryClaim> = {}): MemoryClaim => {
  return { priority: 0, waits: false, holds: true, yielded: false, ...more }
}
const facts = (sequences: readonly MemoryClaim[], more: Partial<MemoryFacts> = {}): MemoryFacts => {
  return { sequences, idle: [], progresses: true, releasing: false, ...more }
}

const CLAIM: fc.Arbitrary<MemoryClaim> = fc.record({
  priority: fc.integer({ min: -1, max: 2 }),
  waits: fc.boolean(),
  holds: fc.boolean(),
  yielded: fc.boolean(),
})
const FACTS: fc.Arbitrary<MemoryFacts> = fc.record({
  sequences: fc.array(CLAIM, { maxLength: 6 }),
  idle: fc.array(fc.nat(100), { maxLength: 3 }),
  progresses: fc.boolean(),
  releasing: fc.boolean(),
})

describe('memory', () => {
  it('is taken from the session that has been idle longest, before any sequence', () => {
    const waits = facts([claim(), claim({ priority: 5, waits: true })], { idle: [30, 10, 20], releasing: true })
    expect(arbitrate(waits)).toEqual({ kind: 'evict', session: 1 })
  })

  it('is taken from the last of the lowest priority, which gives it up once', () => {
    const sequences = [claim({ priority: -1 }), claim({ priority: -1 }), claim(), claim({ priority: 1, waits: true })]
    expect(arbitrate(facts(sequences))).toEqual({ kind: 'pause', sequence: 1 })
    const yielded = sequences.map(one => (one.priority < 0 ? { ...one, yielded: true } : one))
    expect(arbitrate(facts(yielded))).toEqual({ kind: 'pause', sequence: 2 })
    expect(arbitrate(facts(sequences, { releasing: true }))).toEqual({ kind: 'await' })
  })

  it('is waited for among equals, until nothing runs any more', () => {
    const equals = [claim({ waits: true }), claim({ waits: true })]
    expect(arbitrate(facts([claim(), ...equals]))).toEqual({ kind: 'run' })
    expect(arbitrate(facts(equals, { progresses: false }))).toEqual({ kind: 'pause', sequence: 1 })
  })

  it('is never waited for in vain, nor taken without need', () => {
    fc.assert(
      fc.property(FACTS, given => {
        const { sequences, idle, progresses, releasing } = given
        const waiting = sequences.filter(({ waits }) => waits)
        const decision = arbitrate(given)
        if (waiting.length === 0) {
          expect(decision.kind).toBe('run')
          return
        }
        // Whoever waits gets on: something runs, or something is done about it.
        if (decision.kind === 'run') expect(progresses).toBe(true)
        expect(decision.kind === 'evict').toBe(idle.length > 0)
        if (decision.kind === 'evict') expect(idle[decision.session]).toBe(Math.min(...idle))
        if (decision.kind === 'await') expect(releasing).toBe(true)
        if (decision.kind !== 'pause' && decision.kind !== 'fail') return
        expect(releasing).toBe(false)
        expect(decision.kind === 'fail').toBe(sequences.length === 1)
        const victim = sequences[decision.sequence] as MemoryClaim
        const urgent = Math.max(...waiting.map(({ priority }) => priority))
        // Taken for a higher priority, or because nothing would run.
        const yields = victim.priority < urgent && victim.holds && !victim.yielded
        if (!yields) expect([progresses, victim.waits]).toEqual([false, true])
      }),
      { numRuns: 2000 },
    )
  })
})
