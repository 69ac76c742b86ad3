import type { Family } from '../families/family.ts'
import { type SurveyedWeight, surveyWeights } from '../model/load.ts'
import { loadWarnings } from '../model/load-warnings.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import { predictionIndices, predictionTensors } from '../model/prediction.ts'
import { refuseOtherThanDecoder } from '../model/refuse-encoder.ts'

/** A model that is to be written in another form. */
export interface SourceModel extends OpenedModel {
  /** Everything that the model is loaded from, under the names that the hub's own code gives. */
  readonly weights: readonly SurveyedWeight[]
  /** What of the files stays behind, one sentence each. */
  readonly warnings: readonly string[]
}

/** `predictions`: with modules of multi-token prediction. Throws CheckpointError or UnsupportedModelError. */
export async function readSourceModel(
  model: OpenedModel,
  { predictions = false }: { readonly predictions?: boolean } = {},
): Promise<SourceModel> {
  refuseOtherThanDecoder(model.config, 'it cannot be converted')
  const survey = await surveyWeights(model)
  const further = predictions ? await predictionTensors(model) : []
  const left = predictions ? 0 : predictionIndices(model).length
  const weights = [...survey, ...further].map(weight => ({ ...weight, name: hubName(weight.name, model.family) }))
  return { ...model, weights, warnings: [...loadWarnings(model, survey), ...leftBehind(left)] }
}

function leftBehind(predictions: number): readonly string[] {
  if (predictions === 0) return []
  const modules = predictions === 1 ? 'the module' : `the ${predictions} modules`
  return [`${modules} of multi-token prediction left out: readers of the other form know no place for such`]
}

/** Some copies of a model drop the prefix that its code gives all tensors but the output's, or have another. */
function hubName(name: string, { names }: Family): string {
  const { prefixes, output, prediction } = names
  if (name === `${output}.weight` || name === `${output}.bias`) return name
  if (prediction && name.startsWith(prediction.at)) return name
  const prefix = prefixes.find(p => p !== '' && name.startsWith(p)) ?? ''
  return (prefixes[0] as string) + name.slice(prefix.length)
}
