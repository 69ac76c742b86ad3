import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import { writeLearned } from '../../src/training/run/write-checkpoint.ts'
import { Trainer } from '../../src/training/trainer.ts'

/** Matrices of MLA that llama.cpp can change. */
export const LATENT: readonly string[] = ['q_a_proj', 'q_b_proj', 'q_proj', 'kv_a_proj_with_mqa', 'o_proj']

/** An adapter of random numbers for a model, as latentkit saves it after learning. */
export async function randomAdapter(base: OpenedModel, folder: string, targets?: readonly string[]): Promise<void> {
  const kernels = createReferenceKernels()
  const tensors = [...base.checkpoint.tensors.keys()]
  const names = targets?.filter(target => tensors.some(tensor => tensor.endsWith(`.${target}.weight`)))
  const lora = { rank: 3, alpha: 5, ...(names && { targets: names }) }
  const trainer = await Trainer.load(base, kernels, { lora })
  const values = await trainer.parameters.numbers()
  for (const [name, numbers] of values) {
    const from = name.length
    values.set(
      name,
      numbers.map((_, i) => Math.sin(from + i * 1.7) / 4),
    )
  }
  trainer.parameters.restore(values)
  await writeLearned(trainer, base, 'the base', folder)
  kernels.dispose()
}
