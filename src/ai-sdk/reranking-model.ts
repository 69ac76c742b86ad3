import type { RerankingModelV3 } from '@ai-sdk/provider'
import type { Engine } from '../engine/host/node/engine.ts'
import type { RerankOptions } from '../engine/types/options/vectors.ts'
import { cutWarnings } from './embedding-model.ts'

/** Scores by `engine.rerank`, between 0 and 1. Documents that are objects are read as JSON. */
export function rerankingModel(modelId: string, open: () => Promise<Engine>): RerankingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: 'latentkit',
    modelId,
    doRerank: async ({ documents, query, topN, abortSignal, providerOptions }) => {
      const engine = await open()
      const texts = documents.type === 'text' ? documents.values : documents.values.map(value => JSON.stringify(value))
      const options: RerankOptions = {
        ...(providerOptions?.latentkit as RerankOptions),
        ...(topN !== undefined && { topN }),
        ...(abortSignal && { signal: abortSignal }),
      }
      const { ranking, truncated } = await engine.rerank(query, texts, options)
      return {
        ranking: ranking.map(({ index, score }) => ({ index, relevanceScore: 1 / (1 + Math.exp(-score)) })),
        warnings: cutWarnings(truncated),
      }
    },
  }
}
