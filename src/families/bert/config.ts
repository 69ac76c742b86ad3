/** Encoders: BERT (arXiv 1810.04805) and RoBERTa (1907.11692), whose positions begin behind the row of the padding token. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { EncoderConfig, ModelConfig } from '../../nn/config.ts'
import type { ModelDescriptor } from '../descriptor.ts'
import type { Family, TensorNames } from '../family.ts'
import { layerNormEps, readActivation, SIZE } from '../read/common.ts'
import { runnable } from '../runnable.ts'
import { bert as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const NAMES: TensorNames = {
  prefixes: ['bert.', ''],
  embedding: 'embeddings.word_embeddings',
  positions: 'embeddings.position_embeddings',
  output: 'cls.predictions.decoder',
  layer: 'encoder.layer.{layer}.',
  attentionNorm: 'attention.output.LayerNorm',
  mlpNorm: 'output.LayerNorm',
  attention: {
    qkv: ['attention.self.query', 'attention.self.key', 'attention.self.value'],
    out: 'attention.output.dense',
  },
  mlp: { up: 'intermediate.dense', down: 'output.dense' },
  encoder: {
    tokenTypes: 'embeddings.token_type_embeddings',
    embeddingNorm: 'embeddings.LayerNorm',
    headDense: 'pooler.dense',
    headOut: 'classifier',
  },
  // Heads of the training, and a range of numbers that old copies carry.
  ignored: [/position_ids$/, /^cls\.|^lm_head\.|^classifier\./, /(^|\.)pooler\./],
}

export const bert: Family = {
  traits: traits.bert,
  gguf,
  names: NAMES,
  config: (raw, model) => config(raw, model, 0),
}

export const roberta: Family = {
  traits: traits.roberta,
  names: {
    ...NAMES,
    prefixes: ['roberta.', ''],
    output: 'lm_head.decoder',
    encoder: { ...NAMES.encoder!, headDense: 'classifier.dense', headOut: 'classifier.out_proj' },
  },
  config: (raw, model) => config(raw, model, raw.int('pad_token_id', { max: SIZE.max, default: 1 }) + 1),
}

function config(raw: ConfigReader, model: ModelDescriptor, firstPosition: number): ModelConfig {
  const positions = raw.string('position_embedding_type', { default: 'absolute' })
  if (positions !== 'absolute') {
    throw new UnsupportedModelError(
      `${raw.file}: "position_embedding_type" is ${quote(positions, 60)}; latentkit runs "absolute" ones.`,
    )
  }
  if (raw.bool('is_decoder', { default: false })) {
    throw new UnsupportedModelError(`${raw.file}: "is_decoder" is set; latentkit runs BERT as an encoder.`)
  }
  const rows = raw.int('max_position_embeddings', { min: firstPosition + 1, max: SIZE.max })
  const arithmetic = {
    attention: 'grouped',
    eps: layerNormEps(raw, 'layer_norm_eps', 1e-12),
    activation: readActivation(raw, 'hidden_act', 'gelu'),
    blockOrder: 'post',
    maxPositions: rows - firstPosition,
  } as const
  return {
    ...runnable(raw, model, arithmetic),
    tiedEmbeddings: false,
    encoder: {
      tokenTypes: raw.int('type_vocab_size', { max: SIZE.max, default: 2 }),
      firstPosition,
      head: readHead(raw),
    },
  }
}

/** Of a classifier: one score is a reranker's. */
function readHead(raw: ConfigReader): EncoderConfig['head'] {
  const architectures = raw.raw('architectures')
  const [architecture] = Array.isArray(architectures) ? architectures : []
  if (!/ForSequenceClassification$/.test(String(architecture))) return null
  const labels = raw.raw('id2label')
  const scores = typeof labels === 'object' && labels !== null ? Object.keys(labels).length : 2
  return { scores: scores || raw.fail('id2label', 'a name for each score'), dense: true }
}
