import { listed, quote } from '../checkpoint/quote.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import { layerOf, type SurveyedWeight, unusedTensors } from './load.ts'
import type { OpenedModel } from './open/opened-model.ts'

/** One sentence each, once the tensors have been asked for: what was left out, and what config.json does not speak of. */
export function loadWarnings(model: OpenedModel, survey: readonly SurveyedWeight[]): string[] {
  const unused = unusedTensors(model)
  const leftOut = `Tensors that this kind of model does not use were left out: ${listed(unused)}`
  return [...(unused.length > 0 ? [leftOut] : []), ...layerWarnings(model), ...biasWarnings(model, survey)]
}

/** Of layers beyond those that config.json counts, modules of multi-token prediction among them. */
function layerWarnings({ checkpoint, config }: OpenedModel): string[] {
  const { nLayers, layersInOne = 1, source } = config
  const { num_nextn_predict_layers: further } = checkpoint.config
  const count = nLayers / layersInOne + (typeof further === 'number' ? further : 0)
  const beyond = source ? [] : [...checkpoint.tensors.keys()].filter(name => layerOf(name) >= count)
  if (beyond.length === 0) return []
  const more = new Set(beyond.map(layerOf)).size
  const met = `counts ${count === 1 ? '1 layer' : `${count} layers`}, and the files have ${more} more, left out`
  return [`${checkpoint.configFile} ${met}: ${listed(beyond)}`]
}

export function biasWarnings({ checkpoint: { configFile } }: OpenedModel, survey: readonly SurveyedWeight[]): string[] {
  const biases = survey.filter(weight => !weight.announced).map(weight => weight.name)
  if (biases.length === 0) return []
  return [`${configFile} does not speak of biases that the files have; they are added: ${listed(biases)}`]
}

/** Bytes from the middle of two tensors that are compared. */
const SAMPLE = 1 << 16

/** A config.json that ties the output to the embedding beside a file that has an output of its own, and another one. */
export async function tiedWarnings({ checkpoint, family: { names }, config }: OpenedModel): Promise<string[]> {
  if (!config.tiedEmbeddings) return []
  const output = checkpoint.tensors.get(`${names.output}.weight`)
  const embedding = names.prefixes
    .map(prefix => checkpoint.tensors.get(`${prefix}${names.embedding}.weight`))
    .find(entry => entry !== undefined)
  if (!output || !embedding) return []
  const [own, tied] = [await middle(output), await middle(embedding)]
  if (output.dtype === embedding.dtype && own.every((byte, i) => byte === tied[i])) return []
  return [
    `${checkpoint.configFile} ties the output to the embedding (tie_word_embeddings), so the file's own ${quote(output.name)}, ` +
      'which differs, is left out',
  ]
}

async function middle({ bytes: { source, offset, length } }: TensorEntry): Promise<Uint8Array> {
  const count = Math.min(SAMPLE, length)
  return source.read(offset + Math.floor((length - count) / 2), count)
}
