/** The weights of a whole model. */

import type { WeightRole } from '../../checkpoint/recode/weight-type.ts'
import type { LayerInputNames, PredictionNames } from '../../families/family.ts'
import { namesOfOne, PREDICTION_LAYER } from '../../families/names.ts'
import type { Weight } from '../../kernels/contract/weights.ts'
import { type DistanceBias, type DistanceBiasConfig, distanceColumns } from '../../nn/attention/distance-bias.ts'
import { attentionOf, type EncoderConfig, type LayerConfig, type SourceConfig } from '../../nn/config.ts'
import { type PredictionWeights, predictionLayer } from '../../nn/prediction.ts'
import type { EncoderWeights, LayerWeights, ModelWeights } from '../../nn/weights.ts'
import { reshape } from '../../tensor/tensor.ts'
import { distanceTable } from './distance-table.ts'
import { loadLayer } from './layer.ts'
import { loadLayerInputs } from './layer-inputs.ts'
import type { Loader } from './loader.ts'
import { rowsFrom } from './rows-from.ts'
import { sinusoids } from './sinusoids.ts'

/** `embedding`: the matrix if it is loaded already. */
export async function loadWeights(loader: Loader, embedding?: Weight): Promise<ModelWeights> {
  const c = loader.config
  const n = loader.names
  const rows = (name: string, count: number, role: WeightRole) =>
    loader.matrix(`${name}.weight`, count, c.hiddenSize, role, false)
  const tied = c.tiedEmbeddings
  const tokens = embedding ?? (await rows(loader.prefix + loader.embedding, c.vocabSize, tied ? 'tied' : 'embedding'))
  const positions = n.positions
    ? await loadPositions(loader, loader.prefix + n.positions)
    : c.sinusoidalPositions
      ? await loader.kernels.prepare(sinusoids(c.maxPositions, c.hiddenSize))
      : null
  const layerInputs = c.layerInputs && (await loadLayerInputs(loader, c, n.layerInputs as LayerInputNames))
  const distanceBias = c.distanceBias && (await loadDistanceBias(loader, c.distanceBias))
  const layers: LayerWeights[] = []
  const each = c.layersInOne ?? 1
  const loaders = each === 1 ? [loader] : Array.from({ length: each }, (_, i) => loader.beside(c, namesOfOne(n, i)))
  for (const [i, layer] of c.layers.entries()) {
    layers.push(await loadLayer(loaders[i % each] as Loader, Math.floor(i / each), layer))
  }
  const finalNorm = c.finalNorm && n.finalNorm ? await loader.norm(loader.prefix + n.finalNorm, c.hiddenSize) : null
  const stream = {
    ...{ embedding: tokens, positions, layers, finalNorm },
    ...(layerInputs && { layerInputs }),
    ...(distanceBias && { distanceBias }),
  }
  if (c.encoder) return { ...stream, output: null, encoder: await loadEncoder(loader, c.encoder) }
  const bias = n.outputBias ? await loader.rowBias(n.outputBias, c.vocabSize) : await loader.bias(n.output, c.vocabSize)
  if (bias && c.logitScale !== 1) throw loader.unsupported(`${n.output}.bias`, 'a bias of logits that are scaled')
  const weight = tied ? tokens : await rows(n.output, c.vocabSize, 'output')
  const output = { weight, bias, ...(await loader.adapter(n.output, c.vocabSize, c.hiddenSize)) }
  const source = c.source && (await loadSource(loader, c.source, tokens))
  return { ...stream, output, encoder: null, ...(source && { source }) }
}

/** The module of multi-token prediction that counts as layer `index`. */
export async function loadPredictionWeights(loader: Loader, index: number): Promise<PredictionWeights> {
  const { config, names } = loader
  const { hiddenSize: D } = config
  const { at, embeddingNorm, hiddenNorm, join, norm, layer, inLayer } = predictionNames(loader, index)
  // The layer's name is whole.
  const whole = { ...names, ...inLayer, prefixes: [''] }
  const own = layer === null ? loader : loader.beside(config, { ...whole, layer: at + layer })
  return {
    join: {
      embeddingNorm: await loader.norm(at + embeddingNorm, D),
      hiddenNorm: await loader.norm(at + hiddenNorm, D),
      linear: await loader.linear(at + join, D, 2 * D),
    },
    layer: await loadLayer(own, index, predictionLayer(config)),
    norm: await loader.norm(at + norm, D),
  }
}

/** Of the module, and of its layer where that is not the module itself. */
function predictionNames(loader: Loader, index: number): Omit<PredictionNames, 'layer'> & { layer: string | null } {
  const { prediction: own, predictionNorm: norm = PREDICTION_LAYER.norm } = loader.names
  if (own) return own
  return { ...PREDICTION_LAYER, norm, at: loader.layerName(index), layer: null }
}

/** The encoder of an encoder-decoder, with the decoder's embedding where they share it. */
async function loadSource(
  loader: Loader,
  { encoder, sharedEmbedding }: SourceConfig,
  embedding: Weight,
): Promise<ModelWeights> {
  const { source: known } = loader.names
  if (!known) throw new TypeError('Loader: an encoder-decoder whose family does not name its encoder')
  const names = sharedEmbedding ? known : { ...known, embedding: known.ownEmbedding ?? known.embedding }
  return loadWeights(loader.beside(encoder, names), sharedEmbedding ? embedding : undefined)
}

async function loadEncoder(
  loader: Loader,
  { tokenTypes, head, embeddingNorm = true }: EncoderConfig,
): Promise<EncoderWeights> {
  if (!embeddingNorm) return { tokenTypes: null, embeddingNorm: null, head: null }
  const { hiddenSize: D } = loader.config
  const n = loader.names.encoder
  if (!n) throw new TypeError('Loader: an encoder whose family does not name its parts')
  const at = (module: string) => loader.prefix + module
  return {
    tokenTypes: tokenTypes
      ? await loader.matrix(at(`${n.tokenTypes}.weight`), tokenTypes, D, 'positions', false)
      : null,
    embeddingNorm: await loader.norm(at(n.embeddingNorm), D),
    head: head && {
      dense: head.dense ? await loader.linear(loader.either(n.headDense), D, D, true) : null,
      out: await loader.linear(n.headOut, head.scores, D, true),
    },
  }
}

/** Learned positions, from the row of position 0 on. */
async function loadPositions(loader: Loader, name: string): Promise<Weight> {
  const { maxPositions, hiddenSize, encoder } = loader.config
  const before = encoder?.firstPosition ?? 0
  const stored = loader.checkpoint.matrix(`${name}.weight`, before + maxPositions, hiddenSize)
  return loader.prepareMatrix(rowsFrom(stored, before), 'positions', stored.bytes.length)
}

/** The biases of neighbouring distances, from those of their buckets. */
async function loadDistanceBias(loader: Loader, c: DistanceBiasConfig): Promise<DistanceBias> {
  const { layers, encoder } = loader.config
  const H = attentionOf(layers[0] as LayerConfig).nHeads
  const ahead = encoder !== undefined
  const stored = loader.checkpoint.matrix(`${loader.prefix}${loader.names.distanceBias}.weight`, c.buckets, H)
  const { start, count } = distanceColumns(c, ahead)
  const vector = await loader.kernels.prepareVector(distanceTable(stored, c, ahead))
  loader.ready(stored, 'vector', stored.bytes.length, H * count)
  return { table: reshape(vector, [H, count]), start }
}
