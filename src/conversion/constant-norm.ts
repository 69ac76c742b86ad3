/**
 * Norms of latents that are a constant factor (`constantNorm`) depend on the eps of whoever reads them: transformers has 1e-6 always, llama.cpp that of all
 * the file's norms. Their weights are written for the reader of each form.
 */
import { computed } from '../checkpoint/recode/derived.ts'
import { readRows } from '../checkpoint/recode/weight-rows.ts'
import type { LayerConfig } from '../nn/config.ts'
import type { SourceModel } from './source-model.ts'

const NORM = /\.(q_a|kv_a)_layernorm\.weight$/

/** The model as a reader with this eps computes the same. Other models stay as they are. */
export function forLatentEps(model: SourceModel, eps: number): SourceModel {
  const { config, weights } = model
  const found = config.layers.find(isConstant)?.attention.latentNormEps
  if (found === undefined || found === eps) return model
  const factor = Math.sqrt(eps / found)
  const layers = config.layers.map(layer =>
    isConstant(layer) ? { ...layer, attention: { ...layer.attention, latentNormEps: eps } } : layer,
  )
  const scaled = weights.map(weight => {
    if (!NORM.test(weight.name)) return weight
    const source = computed(weight, weight.rows, weight.cols, async (start, count) =>
      (await readRows(weight, start, count)).map(x => x * factor),
    )
    return { ...weight, ...source }
  })
  return { ...model, config: { ...config, layers }, weights: scaled }
}

type Constant = LayerConfig & { readonly attention: Extract<LayerConfig['attention'], { readonly kind: 'latent' }> }

function isConstant(layer: LayerConfig): layer is Constant {
  return layer.attention.kind === 'latent' && layer.attention.constantNorm === true
}
