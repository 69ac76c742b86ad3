import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PATH_GRID } from '../../src/attention/path.ts'
import { schedule, type Waiting } from '../../src/engine/scheduler.ts'

const generating = (position: number, owed = 1): Waiting => ({ position, promptLeft: 0, owed })
const reading = (position: number, promptLeft: number): Waiting => ({ position, promptLeft, owed: 0 })

describe('schedule', () => {
  it('lets every text go on while a prompt is read', () => {
    expect(schedule([generating(10), reading(0, 5000), generating(99, 2)], 512)).toEqual([1, 512, 2])
  })

  it('ends chunks on the grid, first at the next line of it', () => {
    expect(schedule([reading(200, 1000)], 512)).toEqual([4 * PATH_GRID + 128 - 200])
    expect(schedule([reading(100, 90)], 512)).toEqual([90])
  })

  it('cuts a cell when a chunk is smaller than one', () => {
    expect(schedule([reading(0, 1000)], 50)).toEqual([50])
    expect(schedule([reading(100, 1000)], 50)).toEqual([28])
  })

  it('shares the chunk between prompts, a short one leaving its rest to the next', () => {
    expect(schedule([reading(0, 9000), reading(0, 9000)], 512)).toEqual([256, 256])
    expect(schedule([reading(0, 10), reading(0, 9000)], 512)).toEqual([10, 384])
  })

  it('gives no prompt less than a cell, and lets the others wait', () => {
    const counts = schedule(
      Array.from({ length: 8 }, () => reading(0, 9000)),
      512,
    )
    expect(counts).toEqual([128, 128, 128, 128, 0, 0, 0, 0])
  })

  const waiting = fc.oneof(
    fc.record({ position: fc.nat(5000), promptLeft: fc.integer({ min: 1, max: 5000 }), owed: fc.constant(0) }),
    fc.record({ position: fc.nat(5000), promptLeft: fc.constant(0), owed: fc.integer({ min: 0, max: 3 }) }),
  )

  it('keeps to the budget, to what is left, and always gets on', () => {
    fc.assert(
      fc.property(fc.array(waiting, { maxLength: 12 }), fc.integer({ min: 1, max: 2000 }), (sequences, chunk) => {
        const counts = schedule(sequences, chunk)
        expect(counts).toHaveLength(sequences.length)
        let prompt = 0
        sequences.forEach((s, i) => {
          const count = counts[i] as number
          if (s.promptLeft === 0) {
            expect(count).toBe(s.owed)
            return
          }
          expect(count).toBeLessThanOrEqual(s.promptLeft)
          expect(count).toBeGreaterThanOrEqual(0)
          prompt += count
        })
        expect(prompt).toBeLessThanOrEqual(chunk)
        const first = sequences.findIndex(s => s.promptLeft > 0)
        if (first >= 0) expect(counts[first]).toBeGreaterThan(0)
      }),
    )
  })

  it('cuts no cell in two with chunks of whole cells', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 6 }), (at, left, n) => {
        const [count] = schedule([reading(at, left)], n * PATH_GRID) as [number]
        const end = at + count
        expect(count === left || end % PATH_GRID === 0).toBe(true)
      }),
    )
  })
})
