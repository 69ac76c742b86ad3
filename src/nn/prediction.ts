/**
 * Multi-token prediction (DeepSeek-V3, arXiv 2412.19437, section 2.2): a module that predicts one token further than the model, from the model's
 * state at a token and the token after it. It is a decoder of one layer, with the model's embedding and output.
 */
import type { Tensor } from '../tensor/tensor.ts'
import type { Backend } from './attention/step.ts'
import { attends, type LayerConfig, type ModelConfig } from './config.ts'
import { type Decoder, stream } from './decoder.ts'
import { type Norm, normalise } from './layers.ts'
import type { Step } from './step.ts'
import type { JoinWeights, LayerWeights, ModelWeights } from './weights.ts'

/** Embedding and output are the model's. */
export interface PredictionWeights {
  readonly join: JoinWeights
  readonly layer: LayerWeights
  readonly norm: Norm
}

/** Such a module has the form of the model's last layer that attends; it chooses its keys itself, since no layer before it has. */
export function predictionLayer({ layers }: ModelConfig): LayerConfig {
  const last = layers.findLast(layer => attends(layer.attention)) as LayerConfig
  const { attention } = last
  if (attention.kind !== 'latent' || !attention.indexer?.shared) return last
  return { ...last, attention: { ...attention, indexer: { ...attention.indexer, shared: false } } }
}

/** The module as a model of one layer. */
export function predictionConfig(config: ModelConfig): ModelConfig {
  return { ...config, layers: [predictionLayer(config)], nLayers: 1 }
}

export function predictionWeights(model: ModelWeights, { join, layer, norm }: PredictionWeights): ModelWeights {
  return { ...model, layers: [layer], finalNorm: norm, join }
}

/** Of tokens t_1 .. t_n (the step's) and the states of those before each, f32 [n, D]: the states that predict t_2 .. t_(n+1), after the norm. */
export function predictionRows(backend: Backend, module: Decoder, step: Step, states: Tensor): Tensor {
  const layers = stream(backend, module, { ...step, states })
  let layer = layers.next()
  while (!layer.done) layer = layers.next()
  const normed = backend.scratch.replacing(layer.value)
  normalise(backend.ops, normed, layer.value, module.weights.finalNorm as Norm)
  return normed
}
