import { quote } from '../checkpoint/quote.ts'
import { UnsupportedModelError } from '../errors.ts'
import { architectureFor } from '../families/architectures.ts'
import { layerOf } from '../model/load.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'

/** Throws UnsupportedModelError for a module that llama.cpp has with its heads of values in another order than the hub. */
export function refuseOrderedHeads(adapter: string, module: string, { config, family }: OpenedModel): void {
  const attention = config.layers[layerOf(module)]?.attention
  const names = family.names.delta
  if (attention?.kind !== 'delta' || !names || attention.nHeads === attention.nKeyHeads) return
  if (!architectureFor(config.modelType).keysByTurns) return
  const ordered = [...names.qkv, ...names.gate, ...names.decay, names.beta, names.out]
  if (!ordered.some(name => module.endsWith(`.${name}`))) return
  throw new UnsupportedModelError(
    `${adapter} changes ${quote(module)}, whose heads llama.cpp's files have in another order than the hub's; such changes are ` +
      'not converted. Merge the adapter into the folder of safetensors with --lora',
  )
}
