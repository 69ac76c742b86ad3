import { UnsupportedModelError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'

/** Throws UnsupportedModelError for a model that computes with what has no backward rule here. */
export function refuseWithoutRules({ modelType, layers, layerInputs, layerScales, logitCap }: ModelConfig): void {
  const ofModel = [
    ...(layerInputs ? ['vectors of tokens for each layer'] : []),
    ...(layerScales ? ['factors of its layers'] : []),
    ...(logitCap ? ['a bound of its logits'] : []),
  ]
  const found = layers.flatMap(({ attention: a, mlp, beside }) => [
    ...(beside ? ['experts beside its MLPs'] : []),
    ...(a.kind === 'latent' && a.indexer ? ['an indexer, which chooses keys'] : []),
    ...(a.kind === 'grouped' && a.sinks ? ['sinks in its softmax'] : []),
    ...(a.kind === 'grouped' && a.valueNorm ? ['norms of values'] : []),
    ...(mlp.kind === 'moe' && (mlp.clamp || mlp.limits) ? ['gates within a limit'] : []),
  ])
  const [what] = [...ofModel, ...found]
  if (what) throw new UnsupportedModelError(`A model of type ${modelType} has ${what}; such a model cannot be trained`)
}
