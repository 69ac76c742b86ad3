import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { readRope } from '../../src/families/read/rope.ts'
import { ropeFrequencies, yarnSoftmaxFactor } from '../../src/nn/attention/rope.ts'
import { readSafetensors } from '../support/safetensors.ts'

const FOLDER = new URL('../fixtures/attention/', import.meta.url)
const { cases } = JSON.parse(readFileSync(new URL('rope-frequencies.json', FOLDER), 'utf8')) as {
  cases: Record<string, never>[]
}
const tensors = readSafetensors(new URL('rope-frequencies.safetensors', FOLDER))

describe('frequencies for long contexts, read from both spellings of the config', () => {
  for (const c of cases) {
    const { name, dim, theta, attention_factor, softmax_scale, qk_head_dim } = c as Record<string, number>
    const { max_position_embeddings = 4096, ext_factors, ...settings } = c as Record<string, unknown>
    const factors = ext_factors ? { short_factor: ext_factors, long_factor: ext_factors } : {}
    for (const spelling of ['rope_scaling', 'rope_parameters'] as const) {
      it(`${name}, ${spelling}`, () => {
        // The fixture's attention_factor is a result: configs do not name it.
        const { attention_factor: _, ...given }: Record<string, unknown> = { ...settings, ...factors }
        const raw =
          spelling === 'rope_scaling'
            ? { max_position_embeddings, rope_theta: theta, rope_scaling: given }
            : { max_position_embeddings, rope_parameters: { ...given, rope_theta: theta } }
        const rope = readRope(new ConfigReader(raw, 'config.json'), { dim: dim!, interleaved: true })
        const { frequencies, factor } = ropeFrequencies(rope)
        const want = tensors.get(`${name}.inv_freq_f64`)!.data
        expect(frequencies.length).toBe(want.length)
        for (const [i, f] of frequencies.entries()) expect(Math.abs(f / want[i]! - 1)).toBeLessThan(1e-12)
        expect(factor).toBeCloseTo(attention_factor!, 6)
        if (softmax_scale) {
          expect(qk_head_dim! ** -0.5 * yarnSoftmaxFactor(rope.scaling)).toBeCloseTo(softmax_scale, 12)
        }
      })
    }
  }

  it('LongRoPE takes the long factors beyond the original positions', () => {
    const raw = {
      max_position_embeddings: 64,
      original_max_position_embeddings: 16,
      rope_scaling: { type: 'longrope', short_factor: [1, 2], long_factor: [3, 5] },
    }
    const rope = readRope(new ConfigReader(raw, 'config.json'), { dim: 4, interleaved: false })
    const [short, long] = [ropeFrequencies(rope, false).frequencies, ropeFrequencies(rope, true).frequencies]
    expect([...short].map((f, i) => f / long[i]!)).toEqual([3, 2.5])
  })
})
