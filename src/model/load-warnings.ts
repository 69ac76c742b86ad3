import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { listed } from '../checkpoint/quote.ts'
import { type SurveyedWeight, unusedTensors } from './load.ts'

/** One sentence each, once the tensors have been asked for: what was left out, and what config.json does not speak of. */
export function loadWarnings(checkpoint: Checkpoint, survey: readonly SurveyedWeight[]): string[] {
  const unused = unusedTensors(checkpoint)
  const leftOut = `Tensors that this kind of model does not use were left out: ${listed(unused)}`
  return [...(unused.length > 0 ? [leftOut] : []), ...biasWarnings(checkpoint, survey)]
}

export function biasWarnings({ configFile }: Checkpoint, survey: readonly SurveyedWeight[]): string[] {
  const biases = survey.filter(weight => !weight.announced).map(weight => weight.name)
  if (biases.length === 0) return []
  return [`${configFile} does not speak of biases that the files have; they are added: ${listed(biases)}`]
}
