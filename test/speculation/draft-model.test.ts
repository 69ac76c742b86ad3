import { expect, it } from 'vitest'
import { DraftModel, DraftProposer } from '../../src/speculation/draft-model.ts'
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
