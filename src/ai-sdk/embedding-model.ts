import type { EmbeddingModelV3, SharedV3Warning } from '@ai-sdk/provider'
import type { Engine } from '../engine/host/node/engine.ts'
import type { EmbedOptions } from '../engine/types/options/vectors.ts'

/** Vectors by `engine.embed`; `providerOptions: { latentkit: … }` has its options (`dimensions`, `promptName`, `truncate` …). */
export function embeddingModel(modelId: string, open: () => Promise<Engine>): EmbeddingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: 'latentkit',
    modelId,
    // The engine makes batches of its own.
    maxEmbeddingsPerCall: Number.POSITIVE_INFINITY,
    supportsParallelCalls: true,
    doEmbed: async ({ values, abortSignal, providerOptions }) => {
      const engine = await open()
      const options = { ...(providerOptions?.latentkit as EmbedOptions), ...(abortSignal && { signal: abortSignal }) }
      const { embeddings, usage, truncated } = await engine.embed(values, options)
      return { embeddings: embeddings.map(vector => [...vector]), usage, warnings: cutWarnings(truncated) }
    },
  }
}

/** A warning for texts that were cut. */
export function cutWarnings(truncated: readonly number[]): SharedV3Warning[] {
  if (truncated.length === 0) return []
  const which = truncated.length === 1 ? `text ${truncated[0]} was` : `texts ${truncated.join(', ')} were`
  return [{ type: 'other', message: `${which} longer than the model reads, and cut` }]
}
