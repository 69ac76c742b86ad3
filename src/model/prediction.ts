/** Modules of multi-token prediction in a checkpoint: which are there, their tensors, and how one becomes a model that drafts. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { hasStates } from '../nn/config.ts'
import { predictionConfig, predictionWeights } from '../nn/prediction.ts'
import { Loader, type LoaderOptions } from './load/loader.ts'
import { loadPredictionWeights } from './load/weights.ts'
import { type SurveyedWeight, surveyPredictions } from './load.ts'
import { Model, type ModelOptions } from './model.ts'
import type { OpenedModel } from './open/opened-model.ts'

/** Indices of the layers that are such modules: as many as config.json says, if the checkpoint has them in DeepSeek-V3's layout, and all layers attend. */
export function predictionIndices({ checkpoint, config }: OpenedModel): number[] {
  const count = checkpoint.config.num_nextn_predict_layers
  if (typeof count !== 'number' || config.blockOrder !== 'pre' || hasStates(config)) return []
  const indices = Array.from({ length: count }, (_, k) => config.nLayers + k)
  return indices.filter(index => checkpoint.has(layerTensor(checkpoint, index, 'eh_proj.weight')))
}

/** Copies of the model's embedding and output that published checkpoints have in each module. */
export const COPIES = { 'embed_tokens.weight': 'embedding', 'shared_head.head.weight': 'output' } as const

/** The tensors of a model's modules, their copies included. */
export async function predictionTensors(model: OpenedModel): Promise<SurveyedWeight[]> {
  const { checkpoint, config } = model
  const indices = predictionIndices(model)
  const own = await surveyPredictions(model, indices)
  const copies = copiesOf(model).map(({ name, of }): SurveyedWeight => {
    const source = checkpoint.matrix(name, config.vocabSize, config.hiddenSize)
    return { ...source, role: of, ofExpert: false, added: 0, announced: true }
  })
  return [...own, ...copies]
}

/** Tensors of the checkpoint that are the model's embedding or output once more. */
export function copiesOf(model: OpenedModel): { readonly name: string; readonly of: 'embedding' | 'output' }[] {
  const { checkpoint } = model
  return predictionIndices(model).flatMap(index =>
    Object.entries(COPIES)
      .map(([part, of]) => ({ name: layerTensor(checkpoint, index, part), of }))
      .filter(({ name }) => checkpoint.has(name)),
  )
}

/** The name of a layer's tensor, `part` being its end, with the prefix that the checkpoint has it under. */
function layerTensor(checkpoint: Checkpoint, index: number, part: string): string {
  const end = `layers.${index}.${part}`
  return [...checkpoint.tensors.keys()].find(name => name === end || name.endsWith(`.${end}`)) ?? end
}

/**
 * The index of the first module, the one that drafts: published models have one, and guesses further ahead come of it again. Throws CheckpointError
 * where there is none.
 */
export function draftingIndex(opened: OpenedModel): number {
  const [index] = predictionIndices(opened)
  if (index !== undefined) return index
  const { name, config } = opened.checkpoint
  const { num_nextn_predict_layers: count = 0 } = config
  throw new CheckpointError(
    `${name} has no module of multi-token prediction that could draft: num_nextn_predict_layers is ${JSON.stringify(count)}, and ` +
      `there is no ${layerTensor(opened.checkpoint, opened.config.nLayers, 'eh_proj.weight')}. Load it with mtp "off" or "auto"`,
  )
}

/** Loads the module as a model of one layer, which has the embedding and the output of `model`. The kernels stay the caller's to dispose of. */
export async function loadPrediction(
  opened: OpenedModel,
  model: Model,
  kernels: Kernels,
  options: ModelOptions & LoaderOptions = {},
): Promise<Model> {
  const { checkpoint, family, config } = opened
  const loader = new Loader(checkpoint, kernels, config, family.names, () => {}, options)
  const weights = await loadPredictionWeights(loader, draftingIndex(opened))
  return new Model(predictionConfig(config), predictionWeights(model.decoder.weights, weights), kernels, options)
}
