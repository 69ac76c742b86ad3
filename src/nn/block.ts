import { type CacheLayout, cacheSlice } from '../cache/layout.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { groupedAttention } from './attention/grouped.ts'
import { latentAttention } from './attention/mla.ts'
import type { AttentionStep } from './attention/step.ts'
import type { LayerConfig, ModelConfig } from './config.ts'
import { linear, type Norm, normalise } from './layers.ts'
import { denseMlp } from './mlp.ts'
import { mixtureOfExperts } from './moe.ts'
import type { LayerWeights } from './weights.ts'

/** One decoder layer: its place in the model, and how it attends. Made once per layer, used every step. */
export interface Layer {
  readonly config: LayerConfig
  readonly weights: LayerWeights
  /** Index of its cache group. */
  readonly group: number
  /** x [T, D] -> what the heads found, before the output projection. */
  attend(step: AttentionStep, x: Tensor): Tensor
}

export function decoderLayer(model: ModelConfig, layout: CacheLayout, index: number, weights: LayerWeights): Layer {
  const config = model.layers[index] as LayerConfig
  const interleaved = config.rope !== null && (model.ropes[config.rope]?.interleaved ?? false)
  const slice = (name: string) => cacheSlice(layout, index, name)
  const { attention } = weights
  const c = config.attention
  const group = layout.layers[index]?.group ?? 0
  if (attention.kind === 'latent' && c.kind === 'latent') {
    const slices = { latent: slice('latent'), ropeKey: slice('ropeKey') }
    return {
      config,
      weights,
      group,
      attend: (step, x) => latentAttention(step, attention.weights, c, interleaved, slices, x),
    }
  }
  if (attention.kind === 'grouped' && c.kind === 'grouped') {
    const slices = { key: slice('key'), value: slice('value') }
    return {
      config,
      weights,
      group,
      attend: (step, x) => groupedAttention(step, attention.weights, c, interleaved, config.window, slices, x),
    }
  }
  throw new TypeError(
    `decoderLayer: layer ${index} has ${attention.kind} weights and the config of ${c.kind} attention`,
  )
}

/** Carries the stream x [T, D] through one layer, in place. */
export function runLayer(step: AttentionStep, model: ModelConfig, layer: Layer, x: Tensor): void {
  const { kernels: k, arena } = step
  const { weights: w } = layer
  const scale = model.residualScale
  const mark = arena.mark()
  const y = arena.take(x.shape) // [T, D]
  const out = w.attention.weights.out

  switch (model.blockOrder) {
    case 'pre':
      normalise(k, y, x, w.attentionNorm)
      linear(k, x, layer.attend(step, y), out, { residual: x, scale })
      normalise(k, y, x, w.mlpNorm as Norm)
      mlp(step, model, layer, x, y, x)
      break
    case 'sandwich':
      normalise(k, y, x, w.attentionNorm)
      linear(k, y, layer.attend(step, y), out)
      normalise(k, y, y, w.attentionOutNorm as Norm)
      k.axpby(x, 1, x, scale, y)
      normalise(k, y, x, w.mlpNorm as Norm)
      mlp(step, model, layer, y, y, null)
      normalise(k, y, y, w.mlpOutNorm as Norm)
      k.axpby(x, 1, x, scale, y)
      break
    case 'parallel':
      normalise(k, y, x, w.attentionNorm)
      linear(k, x, layer.attend(step, y), out, { residual: x, scale })
      mlp(step, model, layer, x, y, x)
      break
    case 'post':
      linear(k, x, layer.attend(step, x), out, { residual: x, scale })
      normalise(k, x, x, w.attentionNorm)
      mlp(step, model, layer, x, x, x)
      normalise(k, x, x, w.mlpNorm as Norm)
      break
  }
  arena.release(mark)
}

/** y = residual + residualScale * mlp(x); without residual, y = mlp(x). y may be x or residual. */
function mlp(
  { kernels: k, arena }: AttentionStep,
  model: ModelConfig,
  { config, weights }: Layer,
  y: Tensor,
  x: Tensor,
  residual: Tensor | null,
): void {
  const { mlp: w } = weights
  const { mlp: c } = config
  const scale = model.residualScale
  if (w.kind === 'dense') {
    denseMlp(k, arena, w.weights, c.activation, y, x, residual ? { residual, scale } : undefined)
  } else if (c.kind === 'moe' && residual && scale === 1) {
    mixtureOfExperts(k, arena, w.weights, c, y, x, residual)
  } else {
    throw new TypeError('mlp: experts join the stream directly and unscaled in every family known')
  }
}
