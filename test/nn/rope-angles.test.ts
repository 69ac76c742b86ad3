import { describe, expect, it } from 'vitest'
import { ropeSet, stepAngles, writeAngles } from '../../src/nn/attention/rope-angles.ts'

const FREQUENCIES = Float64Array.from({ length: 33 }, (_, i) => 10000 ** (-i / 33) / (1 + i / 7))

describe('writeAngles', () => {
  it('is cos and sin in f64, rounded once, at every position', () => {
    for (const position of [0, 1, 5, -3, -4096, 4095, 65536, 131071, 1e6, 2 ** 24 + 1]) {
      const row = new Float32Array(66)
      writeAngles(row, position, { frequencies: FREQUENCIES, factor: 1.138629436 })
      for (const [i, f] of FREQUENCIES.entries()) {
        const [cos, sin] = [1.138629436 * Math.cos(position * f), 1.138629436 * Math.sin(position * f)]
        // Half a unit in the last place of f32; both libraries reduce angles of 1e7 to 1e-9.
        expect(Math.abs(row[i]! - cos)).toBeLessThanOrEqual(6.1e-8 * Math.abs(cos) + 1e-9)
        expect(Math.abs(row[33 + i]! - sin)).toBeLessThanOrEqual(6.1e-8 * Math.abs(sin) + 1e-9)
      }
    }
  })
})

describe('stepAngles', () => {
  const scaling = {
    kind: 'longrope',
    shortFactor: [1, 1],
    longFactor: [2, 3],
    originalPositions: 10,
    maxPositions: 40,
    attentionFactor: 1,
  } as const
  const set = ropeSet({ dim: 4, theta: 100, interleaved: false, scaling })
  const at = (position: number, long: boolean) => {
    const row = new Float32Array(4)
    writeAngles(row, position, long ? set.long : set.short)
    return [...row]
  }
  const angles = (length: number, count: number, prompt: { start: number; end: number } | null) =>
    stepAngles(set, [{ tokens: new Array(count).fill(0), cache: { length }, prompt }])

  it('takes the long factors for all of a prompt that goes beyond the original positions, and for none of another', () => {
    expect([...angles(8, 2, { start: 0, end: 11 })]).toEqual([...at(8, true), ...at(9, true)])
    expect([...angles(8, 2, { start: 0, end: 10 })]).toEqual([...at(8, false), ...at(9, false)])
  })

  it('takes them for generated tokens from the original positions on', () => {
    expect([...angles(9, 2, null)]).toEqual([...at(9, false), ...at(10, true)])
  })

  it('has a row for each token of each sequence', () => {
    const runs = [3, 1].map(length => ({ tokens: [0, 0], cache: { length }, prompt: null }))
    expect([...stepAngles(set, runs)]).toEqual([3, 4, 1, 2].flatMap(p => at(p, false)))
  })
})
