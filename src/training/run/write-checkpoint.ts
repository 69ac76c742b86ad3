/** What a checkpoint of a run has for others: a model as the hub has it, or an adapter as PEFT writes it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { peftConfig } from '../../adapter/peft-config.ts'
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, PEFT_PREFIX } from '../../adapter/peft-files.ts'
import { prepareFolder } from '../../conversion/hub/convert.ts'
import { writeSafetensors } from '../../conversion/hub/write-safetensors.ts'
import { writeWhole } from '../../conversion/output.ts'
import { readSourceModel } from '../../conversion/source-model.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import type { LearnedAdapters, LearnedModule } from '../lora.ts'
import { nameOf, type Parameter } from '../parameters.ts'
import type { Trainer } from '../trainer.ts'
import { f32Tensor } from './f32-tensor.ts'

/** What a checkpoint has of a model. Throws UnsupportedModelError where the hub has no form for it. */
export async function savable(model: OpenedModel) {
  return prepareFolder(await readSourceModel(model, { predictions: true }), { weights: 'f32' })
}

/** Writes what was learned into a folder that is not there yet. `base`: the model that an adapter is for. */
export async function writeLearned(trainer: Trainer, opened: OpenedModel, base: string, folder: string): Promise<void> {
  if (!trainer.adapters) {
    await (await savable(await trainer.trained(opened))).write(folder, {})
    return
  }
  await mkdir(folder)
  const transposed = opened.family.names.transposed === true && !opened.checkpoint.canonical
  const { rank, rankStabilised = false } = trainer.adapters.options
  const { alpha } = trainer.adapters
  const settings = { base, rank, alpha, rankStabilised, transposed, targets: trainer.adapters.targets() }
  const config = `${JSON.stringify(peftConfig(settings), null, 2)}\n`
  const tensors = await adapterTensors(trainer, trainer.adapters)
  await writeWhole(join(folder, ADAPTER_CONFIG), output => output.write(new TextEncoder().encode(config)))
  await writeWhole(join(folder, ADAPTER_WEIGHTS), output => writeSafetensors(output, tensors))
}

async function adapterTensors(trainer: Trainer, { modules }: LearnedAdapters) {
  const byName = new Map(trainer.parameters.all.map(parameter => [nameOf(parameter), parameter]))
  const numbersOf = async (name: string) =>
    (await trainer.read('values', byName.get(name) as Parameter)).get(name) as Float32Array
  const tensors: ReturnType<typeof f32Tensor>[] = []
  for (const module of modules) {
    const [down, up] = [await numbersOf(module.down), await numbersOf(module.up)]
    const rank = (byName.get(module.down) as Parameter).values.shape[0] as number
    tensors.push(f32Tensor(PEFT_PREFIX + module.down, [rank, down.length / rank], down))
    tensors.push(f32Tensor(PEFT_PREFIX + module.up, [up.length / rank, rank], inHubOrder(module, up, rank)))
  }
  return tensors
}

function inHubOrder({ rowOf }: LearnedModule, numbers: Float32Array, rank: number): Float32Array {
  const ordered = new Float32Array(numbers.length)
  for (let row = 0; row < numbers.length / rank; row++) {
    const from = rowOf(row) * rank
    ordered.set(numbers.subarray(from, from + rank), row * rank)
  }
  return ordered
}
