import { expect, it } from 'vitest'
import type { Model } from '../../src/model/model.ts'
import type { StepInput } from '../../src/nn/step.ts'
import { DraftModel, DraftProposer } from '../../src/speculation/draft-model.ts'
import { DraftSteps } from '../../src/speculation/draft-steps.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomModelOf } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

it('says that it reads until a long text is read', async () => {
  const [set] = KERNEL_SETS.filter(({ name, missing }) => name !== 'reference' && !missing)
  const kernels = await (set as (typeof KERNEL_SETS)[number]).make({ threads: 1 })
  const model = await randomModelOf(kernels, 'latent')
  const { vocabSize } = model.config
  const rng = new Rng('read')
  const text = Array.from({ length: 1100 }, () => rng.below(vocabSize))
  const proposer = new DraftProposer(new DraftModel(model, vocabSize))
  const seen: boolean[] = []
  for (let step = 0; step < 4; step++) {
    const guesses = await proposer.propose(text, 4)
    if (proposer.isReading) expect(guesses).toEqual([])
    seen.push(proposer.isReading)
    text.push(rng.below(vocabSize))
  }
  expect(seen).toEqual([true, true, false, false])
  proposer.dispose()
  model.dispose()
  kernels.dispose()
})

it('a text whose logits are no numbers fails alone', async () => {
  const logits = [0, Number.NaN, 1, 2]
  const model = {
    config: { vocabSize: 2, hiddenSize: 1 },
    forward: async () => ({ shape: [2, 2] }),
    kernels: { memory: { read: async (_: unknown, into: Float32Array) => into.set(logits) } },
  } as unknown as Model
  const steps = new DraftSteps(model)
  const input = { tokens: [0], logits: 'last' } as unknown as StepInput
  const [first, second] = await Promise.allSettled([steps.run(input), steps.run(input)])
  expect(first?.status).toBe('rejected')
  expect(second).toMatchObject({ status: 'fulfilled', value: { next: { token: 1 } } })
})
