/** Modules of multi-token prediction in a checkpoint: which are there, and how they are saved. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { type SurveyedWeight, surveyPredictions } from '../model/load.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'

/** Copies of the model's embedding and output that published checkpoints have in each module. */
export const COPIES = { 'embed_tokens.weight': 'embedding', 'shared_head.head.weight': 'output' } as const

/** Indices of the layers that are such modules: as many as config.json says, if the checkpoint has them in DeepSeek-V3's layout. */
export function predictionIndices({ checkpoint, config }: OpenedModel): number[] {
  const count = checkpoint.config.num_nextn_predict_layers
  if (typeof count !== 'number' || config.blockOrder !== 'pre') return []
  const indices = Array.from({ length: count }, (_, k) => config.nLayers + k)
  return indices.filter(index => checkpoint.has(nameOf(checkpoint, index, 'eh_proj.weight')))
}

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
      .map(([part, of]) => ({ name: nameOf(checkpoint, index, part), of }))
      .filter(({ name }) => checkpoint.has(name)),
  )
}

function nameOf(checkpoint: Checkpoint, index: number, part: string): string {
  const end = `layers.${index}.${part}`
  return [...checkpoint.tensors.keys()].find(name => name === end || name.endsWith(`.${end}`)) ?? end
}
