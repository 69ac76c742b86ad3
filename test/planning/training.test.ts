/** What training takes, against what reports say, and the formulas of the cache against its bytes. */
import { describe, expect, it } from 'vitest'
import { machineNamed, plan, published, publishedModel } from '../../src/planning/index.ts'
import { latentkit } from '../cli/run.ts'

const h800 = machineNamed('h800')

describe('training', () => {
  /** DeepSeek-V3 (arXiv 2412.19437), table 1 and section 1: 14.8T tokens, 2.664M H800 hours for pre-training, 2.788M in all, 2 dollars an hour. */
  it("V3's report: 14.8T tokens take 2.664M hours of an H800 at 39 % of its 16-bit peak, 41 % with its module of multi-token prediction", () => {
    for (const [draft, share] of [
      [false, 0.391],
      [true, 0.406],
    ] as const) {
      const { training } = plan(publishedModel('V3'), { trainTokens: 14.8e12, machine: h800, draft, utilisation: 1 })
      expect(training!.deviceHours! / 2.664e6).toBeCloseTo(share, 3)
      // 37B of 671B weights are used per token: 6 N D, and attention beside it.
      expect(training!.sixNd / (6 * 37e9 * 14.8e12)).toBeCloseTo(1, 1)
      expect(training!.attentionFlops / training!.flops).toBeCloseTo(0.145, 2)
    }
    const { training } = plan(publishedModel('V3'), { trainTokens: 14.8e12, machine: h800, draft: true, hourPrice: 2 })
    expect(training!.deviceHours! / 2.664e6).toBeCloseTo(1, 1)
    expect(training!.cost! / (2 * 2.664e6)).toBeCloseTo(1, 1)
    // "180K H800 GPU hours" for a trillion tokens.
    expect(training!.deviceHours! / 14.8 / 180e3).toBeCloseTo(1, 1)
  })

  it("Llama 2's card: 2T tokens of the 7B take 184,320 A100 hours, 40 % of the peak", () => {
    const { training } = plan(publishedModel('Llama-2-7B'), {
      trainTokens: 2e12,
      machine: machineNamed('a100'),
      utilisation: 1,
    })
    expect(training!.deviceHours! / 184_320).toBeGreaterThan(0.38)
    expect(training!.deviceHours! / 184_320).toBeLessThan(0.5)
  })

  it('is twice as much for twice the tokens, and attention grows with the texts', () => {
    const at = (trainTokens: number, trainContext: number) =>
      plan(publishedModel('SmolLM2-135M'), { trainTokens, trainContext }).training!
    const [one, two, long] = [at(1e9, 1024), at(2e9, 1024), at(1e9, 2048)]
    expect(two.flops).toBe(2 * one.flops)
    expect(long.linearFlops).toBe(one.linearFlops)
    expect(long.attentionFlops / one.attentionFlops).toBeCloseTo(2, 2)
    expect(one).toMatchObject({ deviceHours: null, cost: null, utilisation: null, context: 1024 })
  })

  it('refuses what cannot be', () => {
    const model = publishedModel('V3')
    expect(() => plan(model, { hourPrice: 2 })).toThrow('hourPrice is for training; give trainTokens')
    expect(() => plan(model, { trainTokens: 0 })).toThrow('trainTokens is 0; expected a whole number of tokens')
    expect(() => plan(model, { trainTokens: 1, utilisation: 40 })).toThrow('utilisation is 40; expected a share')
    expect(() => plan(model, { trainTokens: 1, hourPrice: -1 })).toThrow('hourPrice is -1; expected a price above 0')
    expect(() => plan(model, { trainTokens: 1, machine: machineNamed('m4-max') })).toThrow('is not known by its FLOP/s')
  })
})

it('every formula comes to the bytes that it says, and all together to those of a token', () => {
  for (const { hub } of published()) {
    for (const cacheType of ['bf16', 'q8_0']) {
      const model = publishedModel(hub)
      let planned: ReturnType<typeof plan>
      try {
        planned = plan(model, { context: 1, cacheType })
      } catch {
        continue // A width that does not fill blocks.
      }
      const { formulas, cache } = planned
      expect(
        formulas.reduce((n, { bytes }) => n + bytes, 0),
        hub,
      ).toBe(cache.bytesPerToken)
      for (const { numbers, bytes } of formulas) {
        const product = numbers
          .replace(/, of .*$/, '')
          .replace(/ B$/, '')
          .replaceAll('×', '*')
        expect(product).toMatch(/^[\d\s*+()]+$/)
        expect(new Function(`return ${product.replace(/ B$/, '')}`)(), `${hub}: ${numbers}`).toBe(bytes)
      }
    }
  }
})

it('MLA of DeepSeek is as large as GQA with 2.25 groups', () => {
  expect(plan(publishedModel('R1')).equivalentGroups).toEqual({ groups: 2.25, numbers: '(512 + 64) / (2 × 128)' })
  expect(plan(publishedModel('Llama-3-8B')).equivalentGroups).toBeNull()
})

it('latentkit plan prints them', async () => {
  const run = async (...args: string[]) => {
    const { stdout, stderr, code } = await latentkit(['plan', ...args])
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    return stdout.replace(/\s+/g, ' ')
  }
  const text = await run('V3', '--train', '14.8T', '--mtp', '--machine', 'h800', '--hour-price', '2')
  expect(text).toContain('L × (C + R) × b 62 × (512 + 64) × 2 B = 71,424 B')
  expect(text).toContain('As much as GQA with 2.25 groups: (512 + 64) / (2 × 128)')
  expect(text).toContain('Attention patterns 61 layers × 128 heads = 7,808')
  expect(text).toMatch(/Training 14\.8 T tokens in texts of 4,096: 3\.85 YFLOP, 554 ZFLOP of it attention/)
  expect(text).toMatch(/Device hours 2,70\d,\d{3} h of NVIDIA H800 SXM, at 40 % of its 16-bit peak/)
  expect(text).toMatch(/Cost 5,40\d,\d{3} at 2 an hour/)
  const gpt = await run('gpt2')
  expect(gpt).toContain('12 layers × 12 heads = 144')
  expect(gpt).toContain('L × 2 × n × d × b 12 × 2 × 12 × 64 × 2 B = 36,864 B')
  const { code, stderr } = await latentkit(['plan', 'V3', '--train', 'many'])
  expect(code).toBe(2)
  expect(stderr).toContain('14.8T')
})
