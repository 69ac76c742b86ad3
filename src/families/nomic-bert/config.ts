/**
 * Nomic's encoders (arXiv 2402.01613): BERT's blocks with rotary positions and gated MLPs, without biases. Their config.json has
 * GPT-2's names; one that transformers has written has BERT's.
 */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Activation } from '../../kernels/contract/operation-options.ts'
import type { Family } from '../family.ts'
import { layerNormEps, readActivation, SIZE } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import { runnable } from '../runnable.ts'
import { nomicBert as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const ROWS = { min: 1, max: 1 << 28 } as const

export const nomicBert: Family = {
  traits: traits.nomicBert,
  gguf,
  names: {
    prefixes: ['bert.', 'nomic_bert.', ''],
    embedding: 'embeddings.word_embeddings',
    output: 'cls.predictions.decoder',
    layer: 'encoder.layers.{layer}.',
    attentionNorm: 'norm1',
    mlpNorm: 'norm2',
    attention: { qkv: ['attn.Wqkv'], out: 'attn.out_proj' },
    mlp: { gate: 'mlp.fc12', up: 'mlp.fc11', down: 'mlp.fc2' },
    encoder: {
      tokenTypes: 'embeddings.token_type_embeddings',
      embeddingNorm: 'emb_ln',
      headDense: 'pooler.dense',
      headOut: 'classifier',
    },
    ignored: [/^cls\.|^classifier\.|(^|\.)pooler\./, /inv_freq$/],
  },
  config(raw, model) {
    refuseVariants(raw)
    const theta = raw.number('rotary_emb_base', { min: 1, max: 1e12, exclusiveMin: true, default: 1000 })
    return {
      ...runnable(raw, model, {
        attention: 'grouped',
        eps: layerNormEps(raw, raw.has('layer_norm_eps') ? 'layer_norm_eps' : 'layer_norm_epsilon', 1e-12),
        activation: activationOf(raw),
        blockOrder: 'post',
        ropes: dim => [readRope(raw, { dim, interleaved: false, theta })],
        maxPositions: positionsOf(raw),
      }),
      tiedEmbeddings: false,
      encoder: { tokenTypes: raw.int('type_vocab_size', { max: SIZE.max, default: 2 }), firstPosition: 0, head: null },
    }
  },
}

/** Those that it was trained for: published files name more, for a rope that is stretched by the length of a text. */
function positionsOf(raw: ConfigReader): number {
  const written = raw.optionalInt('max_position_embeddings', ROWS) ?? raw.int('n_positions', { ...ROWS, default: 2048 })
  return Math.min(written, raw.optionalInt('max_trained_positions', ROWS) ?? written)
}

function activationOf(raw: ConfigReader): Activation {
  if (!raw.has('activation_function')) return readActivation(raw, 'hidden_act', 'silu')
  return raw.oneOf('activation_function', ['swiglu', 'geglu'] as const) === 'swiglu' ? 'silu' : 'gelu'
}

/** Fields of the same config.json that other models of its makers set, and what runs here. */
const EXPECTED: Readonly<Record<string, unknown>> = {
  prenorm: false,
  causal: false,
  use_rms_norm: false,
  parallel_block: false,
  rotary_emb_fraction: 1,
  rotary_emb_interleaved: false,
  rotary_emb_scale_base: null,
  moe_every_n_layers: 0,
}

function refuseVariants(raw: ConfigReader): void {
  for (const [key, expected] of Object.entries(EXPECTED)) {
    const met = raw.raw(key)
    if (met === undefined || met === expected) continue
    const runs = `latentkit runs nomic_bert with ${JSON.stringify(expected)}`
    throw new UnsupportedModelError(`${raw.file}: "${key}" is ${quote(JSON.stringify(met), 60)}; ${runs}.`)
  }
}
