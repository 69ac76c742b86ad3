/** Steps of other numbers of tokens use the memory of those before. */
import { expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { mixedModel } from '../nn/mixed-model.ts'

it('memory does not grow with every new length', async () => {
  const opened = mixedModel()
  const kernels = createReferenceKernels()
  const trainer = await Trainer.load(opened, kernels)
  const step = (length: number) => {
    const tokens = Array.from({ length }, (_, i) => (i * 7 + length) % opened.config.vocabSize)
    return trainer.gradients([{ tokens, targets: tokens }])
  }
  const weights = kernels.memory.allocatedBytes
  await step(40)
  const first = kernels.memory.allocatedBytes - weights
  for (let length = 25; length < 40; length++) await step(length)
  expect(kernels.memory.allocatedBytes - weights).toBeLessThan(2 * first)
  kernels.dispose()
})
