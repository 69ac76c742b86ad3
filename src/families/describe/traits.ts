/** What a config.json says of norms, biases and gates, and what its family leaves unsaid. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { ModelShape } from '../descriptor.ts'
import type { Traits } from '../traits.ts'

type Read = Pick<ModelShape, 'norm' | 'bias' | 'gated' | 'sinks' | 'tiedEmbeddings'>

export function readTraits(raw: ConfigReader, modelType: string, family: Traits): Read {
  const bias = biasField(raw, modelType, family)
  const written = () => raw.bool('attention_bias', { default: family.attentionBias ?? false })
  const attention = bias ?? (family.bias.attentionOut || written())
  const tied = modelType === 'lfm2' ? raw.optionalBool('tie_embedding') : undefined
  return {
    gated: family.gated,
    sinks: family.sinks,
    norm: { ...family.norm, qk: family.norm.qk || normsHeads(raw), ...falconNorms(raw, modelType) },
    bias: {
      ...family.bias,
      qkv: attention || (bias ?? family.bias.qkv),
      attentionOut: attention && !family.plainOutput,
      mlp: bias ?? (family.bias.mlp || raw.bool('mlp_bias', { default: false })),
    },
    tiedEmbeddings: tied ?? raw.bool('tie_word_embeddings', { default: family.tiedEmbeddings }),
  }
}

/** Families with one switch for all biases: its value; undefined: none. */
function biasField(raw: ConfigReader, modelType: string, { oneBiasSwitch }: Traits): boolean | undefined {
  if (isFalcon(modelType)) return raw.bool('bias', { default: false })
  return oneBiasSwitch === undefined ? undefined : raw.bool('use_bias', { default: oneBiasSwitch })
}

/** GLM-4.5's and Phi's switches. */
function normsHeads(raw: ConfigReader): boolean {
  return raw.raw('use_qk_norm') === true || raw.raw('qk_layernorm') === true
}

/** Falcon-7B has one norm for attention and MLP; Falcon-40B one for each; the oldest ones run them in turn. */
function falconNorms(raw: ConfigReader, modelType: string): { perLayer?: number } {
  if (!isFalcon(modelType)) return {}
  const two = raw.bool('new_decoder_architecture', { default: false }) || !raw.bool('parallel_attn', { default: true })
  return { perLayer: two ? 2 : 1 }
}

export function isFalcon(modelType: string): boolean {
  return /^(falcon|RefinedWeb)/.test(modelType)
}
