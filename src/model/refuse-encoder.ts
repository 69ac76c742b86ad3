import { UnsupportedModelError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'

/** Throws UnsupportedModelError for a model that has no output; `why`: what cannot be done with it. */
export function refuseEncoder({ modelType, encoder }: Pick<ModelConfig, 'modelType' | 'encoder'>, why: string): void {
  if (!encoder) return
  throw new UnsupportedModelError(
    `A model of type ${modelType} is an encoder, which turns texts into vectors: ${why}. Use engine.embed() or latentkit embed.`,
  )
}

/** Throws UnsupportedModelError for an encoder-decoder; `why`: what cannot be done with it. */
export function refuseSource({ modelType, source }: Pick<ModelConfig, 'modelType' | 'source'>, why: string): void {
  if (!source) return
  throw new UnsupportedModelError(
    `A model of type ${modelType} is an encoder-decoder, which reads a source text and writes another: ${why}.`,
  )
}

/** Throws UnsupportedModelError for what is no decoder alone; `why`: what cannot be done with it. */
export function refuseOtherThanDecoder(
  config: Pick<ModelConfig, 'modelType' | 'encoder' | 'source'>,
  why: string,
): void {
  refuseEncoder(config, why)
  refuseSource(config, why)
}
