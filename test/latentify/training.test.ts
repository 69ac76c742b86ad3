/** Rows of 1e-9 are not learned: a step of any rate would drown them. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { llama, randomFolder } from './models.ts'

it('training leaves what makes the norms constant as it is', async () => {
  const out = join(tempFolder(), 'latent')
  await latentifyModel(await randomFolder(llama()), out, { rank: 16, rope: 16, queryLatent: true })
  const trainer = await Trainer.load(await openModel(out), createReferenceKernels())
  const names = trainer.parameters.all.flatMap(({ sources }) => sources.map(({ name }) => name))
  const attention = names.filter(name => name.startsWith('model.layers.0.self_attn.'))
  expect(attention.map(name => name.split('.')[4]).sort()).toEqual(['kv_b_proj', 'o_proj', 'q_b_proj'])
})
