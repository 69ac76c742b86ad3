import { UnsupportedModelError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'

/** Throws UnsupportedModelError for a model that has no output; `why`: what cannot be done with it. */
export function refuseEncoder({ modelType, encoder }: Pick<ModelConfig, 'modelType' | 'encoder'>, why: string): void {
  if (!encoder) return
  throw new UnsupportedModelError(
    `A model of type ${modelType} is an encoder, which turns texts into vectors: ${why}. Use engine.embed() or latentkit embed.`,
  )
}
