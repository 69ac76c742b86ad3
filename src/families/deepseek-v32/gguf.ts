/** DeepSeek-V3.2 and GLM-5 in llama.cpp's files: deepseek2's layout, and the indexers. */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { IndexerConfig } from '../../nn/attention/config.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { deepseek2, deepseekConfig } from '../deepseek/gguf.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { HEADS, SIZE } from '../gguf/ranges.ts'

const { naming, addKeys, warnings } = deepseek2
const TYPES = '{arch}.attention.indexer.types'

const INDEXED: Omit<Architecture, 'name' | 'config'> = {
  splitsKeyValueUp: true,
  predictions: true,
  ...(warnings && { warnings }),
  naming: {
    ...naming,
    inLayer: {
      ...naming.inLayer,
      'indexer.attn_q_b': 'self_attn.indexer.wq_b',
      'indexer.attn_k': 'self_attn.indexer.wk',
      'indexer.k_norm': 'self_attn.indexer.k_norm',
      'indexer.proj': 'self_attn.indexer.weights_proj',
    },
  },
  addKeys(keys, model, predictions) {
    addKeys?.(keys, model, predictions)
    addIndexerKeys(keys, model)
  },
}

export const deepseek32: Architecture = {
  ...INDEXED,
  name: 'deepseek32',
  latentYarn: 'divided',
  config: model => ({
    ...deepseekConfig(model, 'divided'),
    ...indexerSizes(model.metadata),
    model_type: 'deepseek_v32',
  }),
}

export const glmDsa: Architecture = {
  ...INDEXED,
  name: 'glm-dsa',
  latentYarn: 'together',
  config(model) {
    const read = deepseekConfig(model, 'together')
    const sizes = indexerSizes(model.metadata)
    return { ...read, ...sizes, ...sharing(model.metadata, read), model_type: 'glm_moe_dsa' }
  },
}

function indexerSizes(m: Metadata): JsonObject {
  return {
    index_n_heads: m.int('{arch}.attention.indexer.head_count', HEADS),
    index_head_dim: m.int('{arch}.attention.indexer.key_length', SIZE),
    index_topk: m.int('{arch}.attention.indexer.top_k', SIZE),
  }
}

/** Positions from which a file that does not say which layers choose is GLM-5.2's. */
const SHARING_FROM = 1 << 20

/** Which layers choose keys: 1 for those that do. GLM-5.2's files may leave it out: the first two do, then every fourth. */
function sharing(m: Metadata, { num_hidden_layers, max_position_embeddings }: JsonObject): JsonObject {
  const layers = num_hidden_layers as number
  const written = m.optionalInts(TYPES, { min: 0, max: 1 })
  if (!written && (max_position_embeddings as number) < SHARING_FROM) return {}
  const chooses = (i: number) => (written ? written[i] === 1 : i < 2 || (i - 2) % 4 === 0)
  if (written && written.length < layers) m.fail(TYPES, `a 1 or 0 for each of ${layers} layers`)
  return { indexer_types: Array.from({ length: layers }, (_, i) => (chooses(i) ? 'full' : 'shared')) }
}

function addIndexerKeys(keys: GgufKeys, { layers }: ModelConfig): void {
  const indexers = layers.flatMap(({ attention: a }): IndexerConfig[] =>
    a.kind === 'latent' && a.indexer ? [a.indexer] : [],
  )
  const [first] = indexers
  if (!first) return
  keys.u32('{arch}.attention.indexer.head_count', first.nHeads)
  keys.u32('{arch}.attention.indexer.key_length', first.headDim)
  keys.u32('{arch}.attention.indexer.top_k', first.topK)
  const shared = indexers.map(indexer => indexer.shared)
  if (shared.some(Boolean))
    keys.numbers(
      TYPES,
      'u32',
      shared.map(is => (is ? 0 : 1)),
    )
}
