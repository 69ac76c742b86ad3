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

/** Throws UnsupportedModelError where tokens cannot move to other positions, so that none before them can be dropped. */
export function refuseMoving(config: Pick<ModelConfig, 'modelType' | 'source' | 'learnedPositions'>): void {
  refuseSource(config, 'tokens before its answer cannot be dropped. Reset the session')
  if (!config.learnedPositions) return
  throw new UnsupportedModelError(
    `${config.modelType} learned a vector per position, which every cached row has taken in: its tokens cannot ` +
      'move. Reset the session and give the text that is left as a prompt.',
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
