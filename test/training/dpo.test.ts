/** Preferences (DPO): the loss, its gradients and the log-probabilities are those of PyTorch with TRL's formula, and a run learns them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { type TrainingEvent, type TrainOptions, train } from '../../src/training/index.ts'
import { preference, weightsOf } from '../../src/training/preferences.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { fixture, NAMES, valuesOf } from '../adapter/fixtures.ts'
import { expectClose } from '../support/compare.ts'
import { smallModel } from './small-model.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-dpo-'))
afterAll(() => rmSync(place, { recursive: true }))

const LORA = {
  llama: { rank: 3, alpha: 5 },
  deepseek_v3: {
    ...{ rank: 4, alpha: 6, rankStabilised: true },
    targets: ['q_a_proj', 'q_b_proj', 'kv_a_proj_with_mqa', 'kv_b_proj', 'o_proj'],
  },
} as const

describe.each(NAMES)('%s', name => {
  it('loss, margin, log-probabilities and gradients are PyTorch’s', async () => {
    const { base, adapter, ids, expected } = await fixture(name)
    const kernels = createReferenceKernels()
    const trainer = await Trainer.load(base, kernels, { lora: LORA[name] })
    const texts = [ids.chosen, ids.rejected].map(answer => {
      const all = [...ids.prompt, ...answer]
      return { tokens: all.slice(0, -1), targets: all.slice(1).map((id, i) => (i + 1 < ids.prompt.length ? -1 : id)) }
    })
    // B is 0 before anything is learned: the reference.
    const reference = await trainer.logProbabilities(texts)
    trainer.parameters.restore(await valuesOf(adapter))
    const policy = await trainer.weightedGradients(texts, found => weightsOf(found, reference, 0.1, 1))
    const { loss, margin } = preference(policy, reference, 0.1)
    const scalars = expected.get('scalars')?.data as Float32Array
    expectClose('scalars', [loss, margin, ...reference, ...policy], scalars.slice(1), { rel: 1e-4, abs: 1e-4 })
    for (const parameter of trainer.parameters.all) {
      for (const [tensor, numbers] of await trainer.read('gradient', parameter)) {
        const want = expected.get(`dpo base_model.model.${tensor}`)?.data as Float32Array
        expectClose(tensor, numbers, want, { rel: 1e-3, abs: 1e-4 })
      }
    }
    kernels.dispose()
  })
})

it('weights of many pairs are the derivative of the mean loss', () => {
  const [policy, reference] = [
    [-3, -9, -20, -4],
    [-4, -7, -8, -6],
  ]
  const weights = weightsOf(policy, reference, 0.3, 2)
  for (const [i, weight] of weights.entries()) {
    const at = (by: number) => preference(policy.with(i, (policy[i] as number) + by), reference, 0.3).loss
    expect((at(-1e-4) - at(1e-4)) / 2e-4).toBeCloseTo(weight, 6)
  }
  expect(preference(policy, reference, 0.3).accuracy).toBe(0.5)
})

describe('a run', () => {
  const data = join(place, 'pairs.jsonl')
  const pairs = ['The cat', 'The dog'].map(prompt => ({
    prompt,
    chosen: ' sat on the mat.',
    rejected: ' ate a stone.',
  }))
  writeFileSync(data, pairs.map(pair => JSON.stringify(pair)).join('\n'))
  const options: TrainOptions = {
    ...{ data: [data], validation: [data], steps: 6, batchTokens: 40, contextLength: 32, rate: 0.02, warmup: 1 },
    ...{ dpo: true, beta: 0.5, kernels: 'reference', saveEvery: 3, validateEvery: 6 },
  }
  const events = async (run: string, given = options): Promise<TrainingEvent[]> => {
    const all: TrainingEvent[] = []
    for await (const event of train(model, run, given)) all.push(event)
    return all
  }
  const model = smallModel(join(place, 'model'))

  it('learns what is preferred, logs accuracy and margins, and is continued with the same bits', async () => {
    const whole = await events(join(place, 'whole'))
    const losses = whole.flatMap(event => (event.type === 'step' ? [event.loss] : []))
    expect(losses[0]).toBeCloseTo(Math.log(2), 5)
    expect(losses.at(-1)).toBeLessThan(0.5)
    const last = whole.find(event => event.type === 'validation')
    expect(last).toMatchObject({ accuracy: 1, margin: expect.any(Number) })
    for await (const event of train(model, join(place, 'parts'), options)) {
      if (event.type === 'step' && event.step === 4) break
    }
    await events(join(place, 'parts'))
    const log = (run: string) =>
      readFileSync(join(place, run, 'log.jsonl'), 'utf8').replaceAll(/"(seconds|share)":[^,}]*/g, '')
    expect(log('parts')).toBe(log('whole'))
  })

  it('names the line that is no pair', async () => {
    const bad = join(place, 'bad.jsonl')
    writeFileSync(bad, '{"prompt": "a", "chosen": "b"}\n')
    await expect(events(join(place, 'bad'), { ...options, data: [bad] })).rejects.toThrow(
      'bad.jsonl, line 1 has no chosen and rejected',
    )
    const { dpo: _, ...others } = options
    await expect(events(join(place, 'bad'), others)).rejects.toThrow('beta was given without dpo')
  })
})
