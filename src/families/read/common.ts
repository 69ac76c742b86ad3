/** Fields that config.json files of many families share. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { readTokenIds } from '../../checkpoint/token-ids.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Activation } from '../../kernels/contract/operations.ts'
import type { DenseMlpConfig, LayerConfig, ModelConfig } from '../../nn/config.ts'

/** No published model comes near; beyond it, a size is an accident or an attack. */
export const SIZE = { min: 1, max: 1 << 24 } as const
export const LAYERS = { min: 1, max: 4096 } as const
export const HEADS = { min: 1, max: 65_536 } as const
export const EPS = { min: 0, max: 0.1, exclusiveMin: true } as const

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  relu2: 'relu2',
}

export function readActivation(raw: ConfigReader, key: string, fallback: string): Activation {
  const name = raw.optionalString(key) ?? fallback
  const known = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  return known ?? raw.fail(key, `one of ${Object.keys(ACTIVATIONS).join(', ')}`)
}

/** Head and hidden sizes have to fit; GQA needs whole groups. */
export function readHeads(raw: ConfigReader): { readonly nHeads: number; readonly nKvHeads: number } {
  const nHeads = raw.int('num_attention_heads', HEADS)
  const nKvHeads = raw.int('num_key_value_heads', { ...HEADS, default: nHeads })
  if (nHeads % nKvHeads !== 0) raw.fail('num_key_value_heads', `a divisor of num_attention_heads, which is ${nHeads}`)
  return { nHeads, nKvHeads }
}

export function headDim(raw: ConfigReader, hiddenSize: number, nHeads: number): number {
  const given = raw.optionalInt('head_dim', SIZE)
  if (given !== undefined) return given
  if (hiddenSize % nHeads !== 0) raw.fail('num_attention_heads', `a divisor of hidden_size, which is ${hiddenSize}`)
  return hiddenSize / nHeads
}

export function evenDim(raw: ConfigReader, key: string, dim: number): number {
  return dim % 2 === 0 ? dim : raw.fail(key, 'an even number, for rotary positions')
}

/** Every layer the same; by default with the first rope and all keys. */
export function sameLayers(
  nLayers: number,
  layer: Pick<LayerConfig, 'attention' | 'mlp'> & Partial<LayerConfig>,
): LayerConfig[] {
  return Array.from({ length: nLayers }, () => ({ rope: 0, window: null, ...layer }))
}

/** The gated MLP of Llama and its like. */
export function readMlp(raw: ConfigReader): DenseMlpConfig {
  return {
    kind: 'dense',
    size: raw.int('intermediate_size', SIZE),
    activation: readActivation(raw, 'hidden_act', 'silu'),
    gated: true,
  }
}

/** What all decoders of today share; families overwrite what is theirs. */
export function decoderConfig(
  raw: ConfigReader,
  defaults: { readonly tied: boolean; readonly eps?: number },
): Omit<ModelConfig, 'ropes' | 'layers'> {
  refuseQuirks(raw)
  return {
    modelType: raw.string('model_type', { default: '' }),
    vocabSize: raw.int('vocab_size', SIZE),
    hiddenSize: raw.int('hidden_size', SIZE),
    nLayers: raw.int('num_hidden_layers', LAYERS),
    maxPositions: raw.int('max_position_embeddings', { min: 1, max: 1 << 28, default: 2048 }),
    blockOrder: 'pre',
    norm: { kind: 'rms', eps: raw.number('rms_norm_eps', { ...EPS, default: defaults.eps ?? 1e-6 }) },
    embeddingScale: 1,
    residualScale: 1,
    logitScale: 1,
    learnedPositions: false,
    finalNorm: true,
    bias: {
      qkv: raw.bool('attention_bias', { default: false }),
      attentionOut: raw.bool('attention_bias', { default: false }),
      mlp: raw.bool('mlp_bias', { default: false }),
    },
    tiedEmbeddings: raw.bool('tie_word_embeddings', { default: defaults.tied }),
    ...readTokens(raw),
  }
}

/** What is no token id (-1, null in a list) counts as not given: the checkpoint has warned of it. */
export function readTokens(raw: ConfigReader): Pick<ModelConfig, 'bosTokenId' | 'eosTokenIds'> {
  return {
    bosTokenId: readTokenIds(raw.raw('bos_token_id'))[0] ?? null,
    eosTokenIds: readTokenIds(raw.raw('eos_token_id')),
  }
}

/** Fields whose presence changes the arithmetic in ways no family here implements. */
function refuseQuirks(raw: ConfigReader): void {
  for (const key of ['attn_logit_softcapping', 'final_logit_softcapping', 'logit_softcapping']) {
    if (raw.optionalNumber(key)) throw new UnsupportedModelError(`${raw.file}: "${key}" is not supported.`)
  }
  if (raw.has('index_topk') || raw.has('index_n_heads')) {
    throw new UnsupportedModelError(
      `${raw.file}: this model selects keys with a sparse indexer (index_topk); latentkit runs dense attention only.`,
    )
  }
}
