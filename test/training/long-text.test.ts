/** A text longer than a chunk of keys, whose parts of attention are merged: its gradient is what the loss changes by. */
import { expect, it } from 'vitest'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { KEY_CHUNK } from '../../src/nn/attention/mla-expanded.ts'
import { elementCount } from '../../src/tensor/tensor.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { RandomCheckpoint, randomLatentConfig } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

it('of two chunks of keys', async () => {
  const opened = modelOf(new RandomCheckpoint({ ...randomLatentConfig(new Rng(7)), first_k_dense_replace: 3 }, 3))
  const kernels = await createWasmKernels({ threads: 1, training: true })
  const trainer = await Trainer.load(opened, kernels)
  const length = KEY_CHUNK + 70
  const tokens = Array.from({ length }, (_, i) => (i * i * 7 + i) % opened.config.vocabSize)
  // Only the last tokens are learned, which see both chunks.
  const texts = [
    { tokens, targets: tokens.map((_, i) => (i < KEY_CHUNK + 20 ? -1 : ((i + 1) * 11) % opened.config.vocabSize)) },
  ]
  const before = await trainer.gradients(texts)
  const { all } = trainer.parameters
  const directions = all.map(({ values }, i) => new Rng(`direction ${i}`).normals(elementCount(values.shape), 0.1))
  let along = 0
  for (const [i, { gradient }] of all.entries()) {
    const g = (await kernels.memory.read(gradient)) as Float32Array
    along += g.reduce((sum, x, j) => sum + x * (directions[i]?.[j] as number), 0)
  }
  const lossAfter = async (by: number) => {
    for (const [i, { values }] of all.entries()) {
      const numbers = (await kernels.memory.read(values)) as Float32Array
      kernels.memory.upload(
        values,
        numbers.map((x, j) => x + by * (directions[i]?.[j] as number)),
      )
    }
    return trainer.loss(texts)
  }
  const STEP = 1e-3
  const difference = ((await lossAfter(STEP)) - (await lossAfter(-2 * STEP))) / (2 * STEP)
  expect(before).toBeGreaterThan(1)
  expect(Math.abs(difference - along)).toBeLessThan(0.02 * Math.abs(along))
  kernels.dispose()
})
