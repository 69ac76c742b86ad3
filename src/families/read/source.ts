import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { readTokenIds } from '../../checkpoint/token-ids.ts'
import type { ModelConfig, SourceConfig } from '../../nn/config.ts'
import type { ModelDescriptor, SourceShape } from '../descriptor.ts'
import { type Arithmetic, runnable } from '../runnable.ts'

/** An encoder-decoder, whose two stacks compute alike. `more`: what both have beside it. */
export function encoderDecoder(
  raw: ConfigReader,
  model: ModelDescriptor,
  arithmetic: Arithmetic,
  more: Pick<ModelConfig, 'sinusoidalPositions' | 'distanceBias'>,
): ModelConfig {
  const { layers, vocabSize, sharedEmbedding } = model.source as SourceShape
  // An encoder makes no logits.
  const encoder: ModelConfig = {
    ...runnable(raw, { ...model, layers, vocabSize }, { ...arithmetic, logitScale: 1 }),
    ...more,
    encoder: { tokenTypes: 0, firstPosition: 0, head: null, embeddingNorm: false },
    tiedEmbeddings: false,
  }
  const source: SourceConfig = { encoder, sharedEmbedding, startTokenId: startToken(raw) }
  return { ...runnable(raw, model, arithmetic), ...more, source }
}

/** Without one of its own, the token that fills batches begins texts. */
function startToken(raw: ConfigReader): number | null {
  const named = ['decoder_start_token_id', 'pad_token_id'].map(key => readTokenIds(raw.raw(key))[0])
  return named.find(id => id !== undefined) ?? null
}
