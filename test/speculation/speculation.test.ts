import { describe, expect, it } from 'vitest'
import type { Proposer } from '../../src/speculation/proposer.ts'
import { Speculation } from '../../src/speculation/speculation.ts'

const silent: Proposer = { most: 15, costless: true, propose: async () => [] }
/** The same of guesses that take time. */
const costly: Proposer = { ...silent, costless: false }

/** Writes `tokens` tokens. `holds` says of a guess whether it is right; a row more takes `rowMs` beside the first's 1. */
function write(tokens: number, holds: () => boolean, rowMs: number, proposer = silent) {
  const speculation = new Speculation(proposer)
  let [written, rows, ms] = [0, 0, 0]
  // The first token comes of the prompt's step.
  speculation.checked(0, 0, 1)
  while (written < tokens) {
    const drafted = speculation.wanted
    let accepted = 0
    while (accepted < drafted && holds()) accepted++
    const took = 1 + rowMs * drafted
    speculation.checked(drafted, accepted, took)
    written += accepted + 1
    rows += drafted + 1
    ms += took
  }
  return { ms: ms / written, rows: rows / written, speculation }
}

function chance(probability: number, seed = 1): () => boolean {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32 < probability
  }
}

describe('how far a text guesses ahead', () => {
  it('grows to the most there is while guesses hold', () => {
    const { ms, speculation } = write(300, () => true, 0.1)
    expect(speculation.wanted).toBe(15)
    expect(ms).toBeLessThan(0.25)
  })

  it('costs few rows where nothing holds', () => {
    const { ms, rows, speculation } = write(1000, () => false, 0.2)
    expect(rows).toBeLessThan(1.05)
    expect(ms).toBeLessThan(1.01)
    expect(speculation.accepted).toBe(0)
    expect(speculation.drafted).toBe(Math.round((rows - 1) * 1000))
  })

  it('comes back when a text begins to repeat itself', () => {
    let asked = 0
    const { speculation } = write(800, () => asked++ > 5, 0.2)
    expect(speculation.wanted).toBe(15)
  })

  it('costs little where guesses hold now and then, however dear a row is', () => {
    for (const rowMs of [0.03, 0.1, 0.2, 0.4, 0.8]) {
      for (const probability of [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]) {
        const { ms } = write(20_000, chance(probability), rowMs)
        expect(ms, `${probability} hold, a row takes ${rowMs}`).toBeLessThan(1.05)
      }
    }
  })

  it('gains where a row is cheap for what it brings', () => {
    expect(write(20_000, chance(0.7), 0.1).ms).toBeLessThan(0.67)
    expect(write(20_000, chance(0.5), 0.05).ms).toBeLessThan(0.75)
  })

  it('asks for nothing when time says no, even if guesses hold', () => {
    const { rows, ms } = write(5000, chance(0.6), 2)
    expect(rows).toBeLessThan(1.05)
    expect(ms).toBeLessThan(1.12)
  })

  it('does not hold against guesses what their proposer reads after a rest', () => {
    const speculation = new Speculation(costly)
    let [rested, without] = [0, 0]
    for (let step = 0; step < 400; step++) {
      const drafted = speculation.wanted
      // The first guesses are wrong, so that it rests; all others hold.
      speculation.checked(drafted, step < 20 ? 0 : drafted, drafted > 0 ? 1.1 + 0.5 * rested : 1)
      rested = drafted > 0 ? 0 : rested + 1
      if (step >= 100 && drafted === 0) without++
    }
    // One of 24 shows what a step takes without guesses.
    expect(without).toBeLessThan(15)
  })

  it('tries a dozen guesses that cost before it rests, then ever less often', () => {
    const speculation = new Speculation(costly)
    const tried: number[] = []
    for (let step = 0; step < 2000; step++) {
      const drafted = speculation.wanted
      if (drafted > 0) tried.push(step)
      speculation.checked(drafted, 0, drafted > 0 ? 1.2 : 1)
    }
    expect(tried.length).toBeLessThan(110)
    expect(tried.slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
    expect(tried[12]).toBeGreaterThan(30)
  })

  it('goes without now and then where every guess costs, and reports what guesses gain', () => {
    const { speculation, ms } = write(5000, () => true, 0.1, costly)
    const { drafted, accepted, speedUp } = speculation
    expect(accepted).toBe(drafted)
    expect(accepted / 5000).toBeGreaterThan(0.9)
    expect(speedUp).toBeCloseTo(1 / ms, 1)
    expect(write(5000, () => true, 0.1).speculation.speedUp).toBeGreaterThan(1)
    expect(write(50, () => false, 3, costly).speculation.speedUp).toBeLessThan(1)
    expect(new Speculation(costly).speedUp).toBeNull()
  })

  it('counts the time of a guess that found nothing', async () => {
    const speculation = new Speculation(costly)
    speculation.checked(0, 0, 1)
    for (let step = 0; step < 16; step++) {
      const asked = speculation.wanted
      await speculation.propose([1], asked)
      speculation.checked(0, 0, asked > 0 ? 2 : 1)
    }
    expect(speculation.wanted).toBe(0)
    expect(speculation.drafted).toBe(0)
  })

  it('is not put off by a long text that is read first', async () => {
    let [left, reads] = [8, false]
    const reading: Proposer = {
      ...costly,
      get isReading() {
        return reads
      },
      propose: async () => {
        reads = left-- > 0
        return []
      },
    }
    const speculation = new Speculation(reading)
    speculation.checked(0, 0, 1)
    for (let step = 0; step < 8; step++) {
      expect(speculation.wanted).toBe(4)
      await speculation.propose([1], speculation.wanted)
      speculation.checked(0, 0, 5)
    }
    for (let step = 0; step < 16; step++) {
      const asked = speculation.wanted
      await speculation.propose([1], asked)
      speculation.checked(0, 0, asked > 0 ? 2 : 1)
    }
    expect(speculation.wanted).toBe(0)
  })

  it('is not put off by one step that something else held up', () => {
    const speculation = new Speculation(silent)
    for (let i = 0; i < 5; i++) speculation.checked(0, 0, 1)
    speculation.checked(4, 4, 1.4)
    speculation.checked(4, 4, 1000)
    speculation.checked(4, 4, 1.4)
    expect(speculation.wanted).toBeGreaterThan(0)
    // Steps that also read a prompt say nothing about time.
    speculation.checked(4, 4, null)
    expect(speculation.wanted).toBeGreaterThan(0)
  })
})
