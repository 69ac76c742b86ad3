/**
 * Multi-token prediction (DeepSeek-V3, arXiv 2412.19437, section 2.2): a module that predicts one token further than the model, from the model's
 * state at a token and the token after it.
 */
import { lastOf, type Tensor } from '../tensor/tensor.ts'
import type { Backend } from './attention/step.ts'
import { runLayer } from './block.ts'
import type { LayerConfig, ModelConfig } from './config.ts'
import { type Decoder, decoderOf, embedded, layerStep } from './decoder.ts'
import { type Linear, linear, type Norm, normalise } from './layers.ts'
import type { Step } from './step.ts'
import type { LayerWeights, ModelWeights } from './weights.ts'

/** Embedding and output are the model's. */
export interface PredictionWeights {
  /** Of the embedding of the token after. */
  readonly embeddingNorm: Norm
  /** Of the state, which the model's own last norm has passed before. */
  readonly hiddenNorm: Norm
  /** [D, 2D], of the embedding and the state, in this order, as checkpoints have it. */
  readonly join: Linear
  readonly layer: LayerWeights
  readonly norm: Norm
}

/** A module as a decoder of one layer, with the model's embedding. */
export interface Prediction {
  readonly decoder: Decoder
  readonly weights: PredictionWeights
}

export function predictionOf(config: ModelConfig, model: ModelWeights, weights: PredictionWeights): Prediction {
  const layer = predictionLayer(config)
  const decoder = decoderOf({ ...config, layers: [layer], nLayers: 1 }, { ...model, layers: [weights.layer] })
  return { decoder, weights }
}

/** Such a module has the form of the model's last layer. */
export function predictionLayer({ layers }: ModelConfig): LayerConfig {
  return layers.at(-1) as LayerConfig
}

/** Of tokens t_1 .. t_n (the step's) and the states of those before each, f32 [n, D]: the states that predict t_2 .. t_(n+1), after the norm. */
export function predictionRows(backend: Backend, { decoder, weights }: Prediction, step: Step, hidden: Tensor): Tensor {
  const { ops, scratch } = backend
  const [n, D] = hidden.shape as [number, number]
  const joined = scratch.take([n, 2 * D])
  const parts = [
    { at: 0, rows: embedded(backend, decoder, step), norm: weights.embeddingNorm },
    { at: D, rows: hidden, norm: weights.hiddenNorm },
  ]
  for (const { at, rows, norm } of parts) {
    const normed = scratch.take([n, D])
    normalise(ops, normed, rows, norm)
    ops.copy(lastOf(joined, at, D), normed)
  }
  const x = scratch.take([n, D])
  linear(backend, x, joined, weights.join)
  const { config } = decoder
  const y = runLayer(layerStep(backend, decoder, step, 0), config, predictionLayer(config), weights.layer, x)
  const normed = scratch.replacing(y)
  normalise(ops, normed, y, weights.norm)
  return normed
}
