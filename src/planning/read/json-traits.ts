/** What a config.json says of norms, biases and gates, and what its family leaves unsaid. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { type FamilyTraits, familyTraits, isKnownFamily } from '../families.ts'
import type { Unknown } from '../plan-model.ts'

type Traits = Omit<FamilyTraits, 'plainOutput'> & { readonly unknown: readonly Unknown[] }

export function readTraits(raw: ConfigReader, modelType: string): Traits {
  const { plainOutput, ...family } = familyTraits(modelType)
  const bias = biasField(raw, modelType)
  const attention = bias ?? (family.bias.attentionOut || raw.bool('attention_bias', { default: false }))
  return {
    ...family,
    norm: { ...family.norm, qk: family.norm.qk || normsHeads(raw), ...falconNorms(raw, modelType) },
    bias: {
      ...family.bias,
      qkv: attention || (bias ?? family.bias.qkv),
      attentionOut: attention && !plainOutput,
      mlp: bias ?? (family.bias.mlp || raw.bool('mlp_bias', { default: false })),
    },
    tiedEmbeddings: raw.bool('tie_word_embeddings', { default: family.tiedEmbeddings }),
    unknown: isKnownFamily(modelType) ? [] : [unknownFamily(modelType)],
  }
}

function unknownFamily(modelType: string): Unknown {
  const name = JSON.stringify(modelType.slice(0, 60))
  const reason = `${name} is not known here: the cache follows from its fields, the weights are counted as if its blocks were like Llama’s`
  return { field: 'model_type', affects: 'weights', reason }
}

/** Families with one switch for all biases: its value; undefined: none. */
function biasField(raw: ConfigReader, modelType: string): boolean | undefined {
  if (isFalcon(modelType)) return raw.bool('bias', { default: false })
  return modelType === 'starcoder2' ? raw.bool('use_bias', { default: true }) : undefined
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
