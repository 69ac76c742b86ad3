import fc from 'fast-check'
import { expect, it } from 'vitest'
import { llama3Scaling } from '../../src/conversion/hub/llama3-scaling.ts'
import { type RopeConfig, ropeFrequencies } from '../../src/nn/attention/rope.ts'

const POSITIONS = 1 << 20
const plain = (dim: number, theta: number): RopeConfig => ({
  dim,
  theta,
  interleaved: false,
  scaling: { kind: 'none' },
})

it("finds settings of Llama 3's rule that give a file's divisors, whatever parts of the rule show in them", () => {
  const sizes = fc.constantFrom(2, 4, 8, 16, 64, 128)
  const positions = fc.integer({ min: 4, max: 16_384 })
  fc.assert(
    fc.property(
      sizes,
      fc.constantFrom(100, 1e4, 5e5),
      fc.constantFrom(2, 8, 32),
      positions,
      (dim, theta, factor, n) => {
        const rope = plain(dim, theta)
        const scaling = { kind: 'llama3', factor, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: n } as const
        const { frequencies } = ropeFrequencies({ ...rope, scaling })
        const factors = ropeFrequencies(rope).frequencies.map((f, i) => Math.fround(f / frequencies[i]!))
        const found = llama3Scaling({ ...rope, scaling: { kind: 'factors', factors: [...factors] } }, POSITIONS)
        expect(found).toMatchObject({ rope_type: 'llama3' })
        const again = ropeFrequencies({
          ...rope,
          scaling: {
            kind: 'llama3',
            factor: found?.factor as number,
            lowFreqFactor: found?.low_freq_factor as number,
            highFreqFactor: found?.high_freq_factor as number,
            originalPositions: found?.original_max_position_embeddings as number,
          },
        }).frequencies
        for (const [i, f] of frequencies.entries()) expect(Math.abs(again[i]! / f - 1)).toBeLessThan(2e-5)
      },
    ),
    { numRuns: 1000 },
  )
})

it('says that other divisors follow no rule of that kind', () => {
  const scaling = { kind: 'factors', factors: [4, 1, 2, 1] } as const
  expect(llama3Scaling({ ...plain(8, 1e4), scaling }, POSITIONS)).toBeUndefined()
})
