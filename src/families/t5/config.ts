/** T5 (arXiv 1910.10683), T5 v1.1 and Flan-T5 (2002.05202, 2210.11416), mT5 (2010.11934): encoder-decoders with positions as biases of scores. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Activation } from '../../kernels/contract/operation-options.ts'
import type { DistanceBiasConfig } from '../../nn/attention/distance-bias.ts'
import type { ModelConfig } from '../../nn/config.ts'
import type { ModelDescriptor } from '../descriptor.ts'
import type { Family, TensorNames } from '../family.ts'
import { layerNormEps, readActivation } from '../read/common.ts'
import { encoderDecoder } from '../read/source.ts'
import { DISTANCES } from '../traits.ts'
import * as traits from './traits.ts'

/** Positions are distances, of which there is no last one; a context of so many tokens is asked for by nobody. */
const POSITIONS = 1 << 20

const ATTENTION = { qkv: ['q', 'k', 'v'], out: 'o' } as const

/** Names of one stack, whose MLP is part `mlp` of a layer. */
function stack(side: 'encoder' | 'decoder', mlp: number): TensorNames {
  const at = (part: string) => ATTENTION.qkv.map(name => `${part}.${name}`) as [string, string, string]
  const dense = `layer.${mlp}.DenseReluDense`
  return {
    prefixes: ['', 'transformer.'],
    embedding: 'shared',
    finalNorm: `${side}.final_layer_norm`,
    output: 'lm_head',
    ownOutput: true,
    distanceBias: `${side}.block.0.layer.0.SelfAttention.relative_attention_bias`,
    layer: `${side}.block.{layer}.`,
    attentionNorm: 'layer.0.layer_norm',
    attention: { qkv: at('layer.0.SelfAttention'), out: `layer.0.SelfAttention.${ATTENTION.out}` },
    mlpNorm: `layer.${mlp}.layer_norm`,
    mlp: { gate: `${dense}.wi_0`, up: `${dense}.wi_1`, ungated: `${dense}.wi`, down: `${dense}.wo` },
    ...(side === 'decoder' && {
      cross: {
        norm: 'layer.1.layer_norm',
        qkv: at('layer.1.EncDecAttention'),
        out: `layer.1.EncDecAttention.${ATTENTION.out}`,
      },
    }),
    // Copies of the embedding, and a table that old files have and nothing reads.
    ignored: [/^(?:en|de)coder\.embed_tokens\.weight$/, /\.EncDecAttention\.relative_attention_bias\.weight$/],
  }
}

const NAMES: TensorNames = { ...stack('decoder', 2), source: stack('encoder', 1) }

/** Scores are not scaled: the queries' projection is as small as it needs to be. */
const UNSCALED = { attention: 'grouped', softmaxScale: 1, own: [DISTANCES] } as const

export const t5: Family = {
  traits: traits.t5,
  names: NAMES,
  config: (raw, model) => config(raw, model, 'relu', scalesLogits(raw) ? model.hiddenSize ** -0.5 : 1),
}

export const mt5: Family = {
  traits: traits.mt5,
  names: NAMES,
  config: (raw, model) => config(raw, model, 'gated-gelu', 1),
}

function config(raw: ConfigReader, model: ModelDescriptor, usual: string, logitScale: number): ModelConfig {
  const arithmetic = {
    ...UNSCALED,
    eps: layerNormEps(raw, 'layer_norm_epsilon', 1e-6),
    activation: activationOf(raw, usual),
    maxPositions: POSITIONS,
    logitScale,
  }
  const trainedPositions = raw.int('n_positions', { min: 1, max: POSITIONS, default: 512 })
  return { ...encoderDecoder(raw, model, arithmetic, { distanceBias: distances(raw) }), trainedPositions }
}

/** Models whose output is the embedding were trained with smaller logits; transformers 5 writes by itself which they are. */
function scalesLogits(raw: ConfigReader): boolean {
  return raw.optionalBool('scale_decoder_outputs') ?? raw.bool('tie_word_embeddings', { default: true })
}

/** `relu`, or `gated-` and the name of the gate's activation; T5's gelu with a gate is the approximation. */
function activationOf(raw: ConfigReader, usual: string): Activation {
  const written = raw.string('feed_forward_proj', { default: usual })
  if (written === 'gated-gelu') return 'gelu_tanh'
  const [, name] = /^(?:gated-)?([^-]+)$/.exec(written) ?? []
  if (name === undefined) {
    throw new UnsupportedModelError(
      `${raw.file}: "feed_forward_proj" is ${quote(written, 60)}; expected the name of an activation, or one behind "gated-".`,
    )
  }
  return readActivation(raw, 'feed_forward_proj', usual, name)
}

function distances(raw: ConfigReader): DistanceBiasConfig {
  const buckets = raw.int('relative_attention_num_buckets', { min: 4, max: 1 << 16, default: 32 })
  const exact = Math.floor(buckets / 2)
  const maxDistance = raw.int('relative_attention_max_distance', { min: exact + 1, max: 1 << 16, default: 128 })
  return { buckets, maxDistance }
}
