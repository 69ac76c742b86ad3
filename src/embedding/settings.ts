/** How a model's vectors are made: what its checkpoint says, and the defaults where it says nothing. */
import type { EmbeddingFacts, PoolingMode } from '../checkpoint/embedding-facts.ts'
import type { ModelConfig } from '../nn/config.ts'

export interface EmbeddingSettings {
  readonly pooling: PoolingMode
  readonly normalize: boolean
  /** Numbers of a vector: D. */
  readonly dimensions: number
  /** Tokens of the longest text, special tokens included. */
  readonly maxTokens: number
  /** What sets that limit, for messages. */
  readonly limitedBy: string
  /** Texts that are put before a text, by their names. */
  readonly prompts: Readonly<Record<string, string>>
  readonly defaultPrompt: string | null
  /** Why vectors as the checkpoint means them cannot be computed; null: they can. */
  readonly refused: string | null
}

/** `contextLength`: tokens that the engine takes at most. */
export function embeddingSettings(
  config: Pick<ModelConfig, 'hiddenSize' | 'encoder'>,
  facts: EmbeddingFacts = {},
  contextLength: number,
): EmbeddingSettings {
  const limited = facts.limit !== undefined && facts.limit.tokens < contextLength ? facts.limit : undefined
  return {
    // An encoder's tokens all see the whole text, a decoder's last one alone does.
    pooling: facts.pooling ?? (config.encoder ? 'mean' : 'last'),
    normalize: facts.normalize ?? true,
    dimensions: config.hiddenSize,
    maxTokens: limited?.tokens ?? contextLength,
    limitedBy: limited?.file ?? "the model's context",
    prompts: facts.prompts ?? {},
    defaultPrompt: facts.defaultPrompt ?? null,
    refused: facts.refused ?? null,
  }
}

/** What callers are told of it. */
export function embeddingInfo(settings: EmbeddingSettings): Omit<EmbeddingSettings, 'limitedBy' | 'refused'> {
  const { limitedBy: _, refused: __, ...info } = settings
  return info
}
