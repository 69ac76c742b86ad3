/**
 * Multi-token prediction (DeepSeek-V3, arXiv 2412.19437, section 2.2): a module that predicts one token further than the model, from the model's
 * state at a token and the token after it. It is a decoder of one layer, with the model's embedding and output.
 */
import type { Tensor } from '../tensor/tensor.ts'
import type { Backend } from './attention/step.ts'
import { attends, type LayerConfig, type MlpConfig, type ModelConfig } from './config.ts'
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

/**
 * Such a module attends as the model's last layer that attends, with the MLP of its last layer that has experts, if one has; it chooses its keys
 * itself, since no layer before it has, and lists of limits end before it.
 */
export function predictionLayer({ layers }: ModelConfig): LayerConfig {
  const last = layers.findLast(layer => attends(layer.attention)) as LayerConfig
  const { attention } = last
  const mlp = unlimited((layers.findLast(layer => layer.mlp.kind === 'moe') ?? last).mlp)
  if (attention.kind !== 'latent' || !attention.indexer?.shared) return { ...last, mlp }
  return { ...last, mlp, attention: { ...attention, indexer: { ...attention.indexer, shared: false } } }
}

function unlimited(mlp: MlpConfig): MlpConfig {
  if (mlp.kind === 'dense') return mlp
  const { limits: _, ...others } = mlp
  return others
}

/** The module as a model of one layer. */
export function predictionConfig(config: ModelConfig): ModelConfig {
  const { layersInOne: _, ...same } = config
  return { ...same, layers: [predictionLayer(config)], nLayers: 1 }
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
