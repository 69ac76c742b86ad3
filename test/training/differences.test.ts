/** Gradients of every kind of layer equal what the loss does when a weight moves: central differences, one direction for each parameter. */
import { describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import { elementCount } from '../../src/tensor/tensor.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { mixedModel } from '../nn/mixed-model.ts'
import { checkpointFolders } from '../support/all-fixtures.ts'
import { Rng } from '../support/rng.ts'

const OWN = ['gemma3-mqa', 'falcon-mqa', 'minicpm3', 'gpt2', 'deepseek-v2-lite']
/** Of the change that float32 can tell apart; losses are rounded, and so is each activation. */
const ALLOWED = 2e-2

/** All experts are chosen, since a choice changes in jumps. */
function allChosen({ config, ...model }: OpenedModel): OpenedModel {
  const layers = config.layers.map(layer =>
    layer.mlp.kind === 'moe' ? { ...layer, mlp: { ...layer.mlp, topK: layer.mlp.nExperts } } : layer,
  )
  return { ...model, config: { ...config, layers } }
}

const models: [string, () => Promise<OpenedModel>][] = [
  ...OWN.map((name): [string, () => Promise<OpenedModel>] => [
    name,
    () => openModel(checkpointFolders().get(name) as string),
  ]),
  ['layers of all kinds', async () => allChosen(mixedModel())],
]

describe('a gradient', () => {
  it.each(models)(
    '%s: is what the loss changes by',
    async (_, open) => {
      const opened = await open()
      const kernels = createReferenceKernels()
      const trainer = await Trainer.load(opened, kernels)
      const rng = new Rng('differences')
      const texts = [6, 4].map(length => {
        const tokens = Array.from({ length }, (_, i) => (i * 37 + length) % opened.config.vocabSize)
        return { tokens: tokens.slice(0, -1), targets: tokens.slice(1) }
      })
      await trainer.gradients(texts)
      const { all } = trainer.parameters
      const found = await Promise.all(all.map(({ gradient }) => kernels.memory.read(gradient)))
      const scale = Math.sqrt(found.flatMap(g => [...g]).reduce((sum, x) => sum + x * x, 0))
      for (const [i, { values, sources }] of all.entries()) {
        const n = elementCount(values.shape)
        const before = (await kernels.memory.read(values)) as Float32Array
        const size = Math.sqrt(before.reduce((sum, x) => sum + x * x, 0) / n) || 1
        const direction = rng.normals(n)
        const gradient = found[i] as Float32Array
        const along = direction.reduce((sum, d, j) => sum + d * (gradient[j] as number), 0)
        const step = (1e-2 * size) / Math.sqrt(n)
        const at = async (by: number) => {
          kernels.memory.upload(
            values,
            before.map((x, j) => x + by * (direction[j] as number)),
          )
          return trainer.loss(texts)
        }
        const difference = ((await at(step)) - (await at(-step))) / (2 * step)
        kernels.memory.upload(values, before)
        const rounding = 1e-6 / step
        expect(Math.abs(difference - along), sources[0]?.name).toBeLessThan(
          ALLOWED * Math.max(Math.abs(along), scale / 100) + rounding,
        )
      }
      kernels.dispose()
    },
    120_000,
  )
})
