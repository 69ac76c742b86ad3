/** Modules of multi-token prediction in a checkpoint: which are there, their tensors, and how one becomes a model that drafts. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { listed } from '../checkpoint/quote.ts'
import { CheckpointError } from '../errors.ts'
import type { PredictionNames } from '../families/family.ts'
import { PREDICTION_LAYER } from '../families/names.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { attends } from '../nn/config.ts'
import { predictionConfig, predictionWeights } from '../nn/prediction.ts'
import { Loader, type LoaderOptions } from './load/loader.ts'
import { loadPredictionWeights } from './load/weights.ts'
import { type SurveyedWeight, surveyPredictions } from './load.ts'
import { Model, type ModelOptions } from './model.ts'
import type { OpenedModel } from './open/opened-model.ts'

/** More than config.json may count. */
const MOST = 64

/**
 * Indices of the layers that are such modules, or that they would be: as many as config.json says, if the checkpoint has them as layers
 * past the last (DeepSeek-V3), or the one beside the layers (Qwen3.5).
 */
export function predictionIndices(opened: OpenedModel): number[] {
  const { checkpoint, config } = opened
  const count = ownNames(opened) ? 1 : checkpoint.config.num_nextn_predict_layers
  const attending = config.layers.some(({ attention }) => attends(attention))
  if (typeof count !== 'number' || config.blockOrder !== 'pre' || !attending) return []
  const indices = Array.from({ length: Math.min(count, MOST) }, (_, k) => config.nLayers + k)
  return indices.filter(index => marksOf(opened, index).every(name => checkpoint.has(name)))
}

/** Of a module beside the layers. */
function ownNames({ checkpoint, family }: OpenedModel): PredictionNames | undefined {
  return checkpoint.canonical ? undefined : family.names.prediction
}

/** Tensors by which a module is known. */
function marksOf(opened: OpenedModel, index: number): string[] {
  const own = ownNames(opened)
  const { attentionNorm, predictionNorm = PREDICTION_LAYER.norm } = opened.family.names
  if (own) {
    const inLayer = own.layer + (own.inLayer?.attentionNorm ?? attentionNorm)
    return [own.join, own.norm, inLayer].map(name => `${own.at}${name}.weight`)
  }
  return [PREDICTION_LAYER.join, predictionNorm].map(part => layerTensor(opened.checkpoint, index, `${part}.weight`))
}

/** The name that a tensor of a module beside the layers has where modules are layers past the last. Others stay. */
export function asLayerPastLast(opened: OpenedModel, tensor: string): string {
  const own = ownNames(opened)
  if (!own || !tensor.startsWith(own.at)) return tensor
  const { prefixes, layer } = opened.family.names
  const at = (prefixes[0] as string) + layer.replace('{layer}', String(opened.config.nLayers))
  const part = tensor.slice(own.at.length)
  if (part.startsWith(own.layer)) return at + part.slice(own.layer.length)
  const [, module = '', suffix] = /^(.*)(\.\w+)$/.exec(part) ?? []
  const known = Object.entries(PREDICTION_LAYER).find(([role]) => own[role as keyof typeof PREDICTION_LAYER] === module)
  return known ? at + known[1] + suffix : tensor
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
  const counted = ownNames(opened) ? '' : `num_nextn_predict_layers is ${JSON.stringify(count)}, and `
  throw new CheckpointError(
    `${name} has no module of multi-token prediction that could draft: ${counted}it takes the tensors ` +
      `${listed(marksOf(opened, opened.config.nLayers))}. Load it with mtp "off" or "auto"`,
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
