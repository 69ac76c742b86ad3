import { UnsupportedModelError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'

/** Throws UnsupportedModelError for a model that computes with what has no backward rule here. */
export function refuseWithoutRules({ modelType, layers }: ModelConfig): void {
  const found = layers.flatMap(({ attention: a, mlp }) => [
    ...(a.kind === 'latent' && a.indexer ? ['an indexer, which chooses keys'] : []),
    ...(a.kind === 'grouped' && a.sinks ? ['sinks in its softmax'] : []),
    ...(mlp.kind === 'moe' && mlp.clamp ? ['gates within a limit'] : []),
  ])
  const [what] = found
  if (what) throw new UnsupportedModelError(`A model of type ${modelType} has ${what}; such a model cannot be trained`)
}
