/** Balancing of experts, and runs of Muon with experts that are left and taken up. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { balancedBias, imbalanceOf, loadsOf, sequenceBalance } from '../../src/training/balance.ts'
import { readRuns, type TrainOptions, train } from '../../src/training/index.ts'
import { Rng } from '../support/rng.ts'
import { readSafetensors } from '../support/safetensors.ts'
import { EXPERTS, STORIES, smallModel } from './small-model.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-balance-'))
afterAll(() => rmSync(place, { recursive: true }))
const TEXT = join(place, 'text.txt')
writeFileSync(TEXT, STORIES)
const BIAS = 'model.layers.1.mlp.gate.e_score_correction_bias'

describe('balancing', () => {
  it('counts, and moves each bias against its load', () => {
    const loads = loadsOf(Int32Array.of(0, 1, 0, 2, 0, 1), 4)
    expect(Array.from(loads)).toEqual([3, 2, 1, 0])
    expect(imbalanceOf(loads)).toBe(2)
    const bias = balancedBias(Float32Array.of(0, 0.5, 0, 0), Int32Array.of(3, 2, 2, 1), 0.25)
    expect(Array.from(bias)).toEqual([-0.25, 0.5, 0, 0.25])
  })

  it.each(['sigmoid', 'softmax'] as const)(
    'the gradient of the sequence-wise loss is that of differences: %s',
    scoring => {
      const rng = new Rng(scoring)
      const experts = 5
      const options = { topK: 2, scoring, lengths: [3, 4], weight: 0.3 } as const
      const logits = Float32Array.from({ length: 7 * experts }, () => 4 * rng.uniform() - 2)
      const { gradient, loss } = sequenceBalance(logits, experts, options)
      expect(loss).toBeGreaterThan(0)
      for (let i = 0; i < logits.length; i++) {
        const at = (step: number) =>
          sequenceBalance(logits.with(i, (logits[i] as number) + step), experts, options).loss
        expect(gradient[i]).toBeCloseTo((at(1 / 512) - at(-1 / 512)) * 256, 4)
      }
      // Each expert is chosen alike: eq. 17 gives alpha times the number of tokens.
      const even = sequenceBalance(new Float32Array(8), 2, { topK: 2, scoring, lengths: [4], weight: 1 })
      expect(even.loss).toBeCloseTo(4, 6)
    },
  )
})

async function run(model: string, name: string, options: TrainOptions, leave = 0): Promise<void> {
  for await (const event of train(model, join(place, name), options)) {
    if (event.type === 'step' && event.step === leave) break
  }
}

const OPTIONS: TrainOptions = {
  ...{ data: [TEXT], steps: 8, batchTokens: 48, contextLength: 24, rate: 0.01, warmup: 1, saveEvery: 3, threads: 1 },
  ...{ optimiser: 'muon' },
}
const FILES = ['model.safetensors', 'training.safetensors']
const numbers = (name: string) => FILES.map(file => readFileSync(join(place, name, 'step-000008', file)))

describe('a run with Muon, biases that move and the sequence-wise loss', () => {
  const model = smallModel(join(place, 'model'), EXPERTS)
  const balanced = { ...OPTIONS, balanceRate: 0.01, sequenceBalance: 0.01 }

  it('that was left ends with the same bits', async () => {
    await run(model, 'whole', balanced)
    for (const leave of [2, 5]) await run(model, 'parts', balanced, leave)
    await run(model, 'parts', balanced)
    expect(numbers('parts')).toEqual(numbers('whole'))
    const [record] = await readRuns([join(place, 'whole')])
    expect(record?.steps.every(({ imbalance = 0, loads }) => imbalance >= 1 && loads?.[0]?.length === 4)).toBe(true)
    const bias = readSafetensors(join(place, 'whole', 'step-000008', 'model.safetensors')).get(BIAS)
      ?.data as Float32Array
    expect(Array.from(bias).some(b => b !== 0)).toBe(true)
    expect(bias.every(b => Math.abs(b) <= 0.0801)).toBe(true)
  })

  it('balances what goes on unbalanced without', async () => {
    const long = { ...OPTIONS, steps: 60, saveEvery: 60, batchTokens: 120 }
    await run(model, 'without', long)
    await run(model, 'with', { ...long, balanceRate: 0.001 })
    const [without, balanced] = await readRuns([join(place, 'without'), join(place, 'with')])
    const late = (record: typeof without) =>
      (record?.steps.slice(-20) ?? []).reduce((sum, { imbalance = 0 }) => sum + imbalance, 0) / 20
    expect(late(balanced)).toBeLessThan(late(without) - 0.05)
    const losses = (record: typeof without) => record?.steps.map(({ loss }) => loss) ?? []
    expect(losses(without).at(-1)).toBeLessThan((losses(without)[0] as number) - 1)
  })
})
