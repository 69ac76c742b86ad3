import { describe, expect, it } from 'vitest'
import type { Proposer } from '../../src/speculation/proposer.ts'
import { Speculation } from '../../src/speculation/speculation.ts'

const silent: Proposer = { most: 15, propose: async () => [] }

/** `holds` says of every guessed token whether it was right; returns tokens, steps and rows after `steps` steps. */
function write(steps: number, holds: () => boolean) {
  const speculation = new Speculation(silent)
  let [tokens, rows] = [0, 0]
  for (let step = 0; step < steps; step++) {
    const drafted = speculation.wanted
    let accepted = 0
    while (accepted < drafted && holds()) accepted++
    speculation.checked(drafted, accepted)
    tokens += accepted + 1
    rows += drafted + 1
  }
  return { tokens, rows, speculation }
}

describe('how far a text guesses ahead', () => {
  it('grows to the most there is while guesses hold', () => {
    const { tokens, speculation } = write(20, () => true)
    expect(speculation.wanted).toBe(15)
    expect(tokens).toBeGreaterThan(200)
  })

  it('costs few rows where nothing holds', () => {
    const { tokens, rows, speculation } = write(1000, () => false)
    expect(tokens).toBe(1000)
    expect(rows).toBeLessThan(1050)
    expect(speculation.accepted).toBe(0)
    expect(speculation.drafted).toBe(rows - 1000)
  })

  it('comes back when a text begins to repeat itself', () => {
    let step = 0
    const { speculation } = write(400, () => step++ > 5)
    expect(speculation.wanted).toBe(15)
  })

  it('adds more tokens than rows are worth where guesses hold now and then', () => {
    for (const percent of [10, 30, 50, 70]) {
      let seed = 1
      const random = () => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
        return seed / 2 ** 32
      }
      const { tokens, rows } = write(5000, () => random() * 100 < percent)
      // On two cores a row more costs about a tenth of a step (bench/batch.ts).
      const time = 5000 + (rows - 5000) / 10
      expect(tokens / time, `${percent} %`).toBeGreaterThan(0.98)
    }
  })
})
