/** What healing may take, in time and in memory. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readSourceModel } from '../../src/conversion/source-model.ts'
import { chooseKernels } from '../../src/engine/host/node/kernels.ts'
import { checkMemory, healingBytes } from '../../src/latentify/heal/memory.ts'
import { learns, Parts } from '../../src/latentify/heal/parts.ts'
import { plannedSteps } from '../../src/latentify/heal/time.ts'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import { planOf } from '../../src/latentify/plan.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { Distillation } from '../../src/training/distil.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { llama, randomFolder } from './models.ts'

it.each([
  // 1,800 s: 3 % are left aside, 12 s are over; a checkpoint of 30 s every two minutes makes a step of 4 s one of 5.
  [{ budget: 1800, each: 4, saving: 30 }, 4 + Math.floor((0.97 * 1800 - 12 - 30) / 5)],
  [{ budget: 1800, each: 4, saving: 0 }, 4 + Math.floor((0.97 * 1800 - 12) / 4)],
  [{ budget: 20, each: 4, saving: 30 }, 4],
])('checkpoints are in the plan: %j', (timed, steps) => {
  expect(plannedSteps({ step: 4, seconds: 12 }, timed)).toBe(steps)
})

it.each([
  [3, 128],
  [6, 200],
])('memory of healing is about what is estimated: %i layers, a text of %i tokens', async (layers, tokens) => {
  const folder = await randomFolder(llama({ hidden_size: 48, intermediate_size: 128, num_hidden_layers: layers }))
  const source = await readSourceModel(await openModel(folder))
  const sizes = { rank: 16, rope: 16 }
  const made = join(tempFolder(), 'latent')
  await latentifyModel(folder, made, sizes)
  const { kernels } = await chooseKernels('auto', { threads: 1, exact: true })
  try {
    const teacher = await loadModel(await openModel(folder), kernels, { cacheType: 'f32' })
    const before = kernels.memory.allocatedBytes
    const trainer = await Trainer.load(await openModel(made), kernels, { learns, predictions: false })
    await Parts.of(kernels, trainer.parameters, sizes.rank)
    const distillation = new Distillation(trainer, kernels, teacher.decoder, 0.5)
    await distillation.gradients([{ tokens: Array.from({ length: tokens }, (_, i) => i % 50) }], tokens)
    const ratio = (kernels.memory.allocatedBytes - before) / healingBytes(source, planOf(source), sizes, tokens)
    expect(ratio).toBeGreaterThan(0.9)
    // Activations lie in pieces of which each is twice the one before, so that half may be untouched.
    expect(ratio).toBeLessThan(2.1)
  } finally {
    kernels.dispose()
  }
})

it('more than the machine has is refused', () => {
  expect(() => checkMemory(3 * 2 ** 30, 2 ** 31)).toThrow(
    /about 3\.0 GiB of memory, and there are 2\.0; leave heal out/,
  )
  checkMemory(2 ** 31, 2 ** 31)
})
