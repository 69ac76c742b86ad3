/** What a model's weights need of memory, by its headers alone. */
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import { type SurveyedWeight, surveyPredictions, surveyWeights } from '../../model/load.ts'
import { type OpenedModel, openFiles } from '../../model/open/opened-model.ts'
import { draftingIndex, predictionIndices } from '../../model/prediction.ts'
import type { HostLoadOptions } from '../types/protocol.ts'
import type { ModelInfo } from '../types/results.ts'
import { requireTokenizer } from './open-tokenizer.ts'

/** Every tensor that is loaded, the module's that drafts among them if it is asked for. */
export async function surveyed(opened: OpenedModel, { weights, mtp }: HostLoadOptions): Promise<SurveyedWeight[]> {
  const own = await surveyWeights(opened, weights)
  return predicts(opened, mtp) ? [...own, ...(await surveyPredictions(opened, [draftingIndex(opened)], weights))] : own
}

/** Whether the module of multi-token prediction is to be loaded. */
export function predicts(opened: OpenedModel, mtp: HostLoadOptions['mtp'] = 'off'): boolean {
  return mtp === 'on' || (mtp === 'auto' && predictionIndices(opened).length > 0)
}

/** What a model needs of memory for its weights, by its headers. Throws what opening and loading would for a model that does not run. */
export async function weightBytes(files: CheckpointFiles, options: HostLoadOptions): Promise<number> {
  const opened = await openFiles(files)
  requireTokenizer(opened.checkpoint)
  return sizesOf(await surveyed(opened, options)).weightBytes
}

/** Numbers of the model, and bytes of its weights in the types in which the kernels got them. */
export function sizesOf(survey: readonly SurveyedWeight[]): Pick<ModelInfo, 'parameters' | 'weightBytes'> {
  let parameters = 0
  let weightBytes = 0
  for (const { rows, cols, bytes, scales } of survey) {
    parameters += rows * cols
    weightBytes += bytes.length + (scales?.bytes.length ?? 0)
  }
  return { parameters, weightBytes }
}
