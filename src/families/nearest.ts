/** Why a model does not run, and which one that runs is most like it. */
import type { ConfigReader } from '../checkpoint/config-reader.ts'
import { quote } from '../checkpoint/quote.ts'

/** What no family here computes, by the field that says so. */
const MISSING: readonly (readonly [field: string, what: string])[] = [
  ['compress_ratios', 'compressed sparse attention'],
  ['linear_attn_config', 'layers that keep a state in place of keys'],
  ['linear_num_value_heads', 'layers that keep a state in place of keys'],
  ['linear_num_heads', 'layers that keep a state in place of keys'],
  ['layer_group_size', 'layers that keep a state in place of keys'],
  ['conv_L_cache', 'short convolutions in place of attention'],
  ['mamba_d_state', 'layers that keep a state in place of keys'],
  ['mamba_num_heads', 'layers that keep a state in place of keys'],
  ['state_size', 'layers that keep a state in place of keys'],
  ['ssm_state_size', 'layers that keep a state in place of keys'],
  ['rwkv_version', 'layers that keep a state in place of keys'],
  ['altup_num_inputs', 'several streams that take turns'],
  ['laurel_rank', 'low-rank products beside attention'],
  ['attn_logit_softcapping', 'scores with a soft cap'],
  ['hc_mult', 'hyper-connections'],
  ['attention_chunk_size', 'attention in chunks'],
  ['alibi', 'alibi positions'],
  ['text_config', 'a language model inside a model that sees or hears'],
  ['llm_config', 'a language model inside a model that sees or hears'],
]

/** A `model_type` that runs. */
export interface Running {
  readonly type: string
  readonly latent: boolean
}

/** One sentence without an end. */
export function whyNot(raw: ConfigReader, modelType: string, running: readonly Running[]): string {
  const name = quote(modelType, 60)
  if (raw.has('compress_ratios') || modelType === 'deepseek_v4') {
    return `${name} has no kv_lora_rank but compressed sparse attention, which is another architecture`
  }
  if (raw.optionalBool('is_encoder_decoder')) return otherSides(raw, modelType, name)
  const near = quote(nearest(raw, modelType, running), 60)
  const found = MISSING.filter(([field]) => isOn(raw.raw(field)))
  const missing = found
    .filter(([, what], i) => found.findIndex(other => other[1] === what) === i)
    .map(([field, what]) => `${what} (${field})`)
  const lacking =
    missing.length > 0
      ? `what is missing is ${missing.slice(0, 4).join(', ')}`
      : 'the rest of its architecture is not known here'
  return `model_type ${name} is not supported; nearest to it is ${near}, and ${lacking}`
}

/** Encoder-decoders that are known by name: the nearest that runs, and what it lacks. */
const SIDES: Readonly<Record<string, readonly [near: string, lacks: string]>> = {
  bart: ['marian', 'learned positions and a norm on embeddings'],
  mbart: ['marian', 'norms before each part, learned positions and a norm on embeddings'],
  pegasus: ['marian', 'norms before each part'],
  m2m_100: ['marian', 'norms before each part'],
  blenderbot: ['marian', 'norms before each part and learned positions'],
  'blenderbot-small': ['marian', 'learned positions and a norm on embeddings'],
  umt5: ['t5', 'biases of distances in every layer'],
  longt5: ['t5', 'attention within blocks of the source'],
  switch_transformers: ['t5', 'experts'],
}

function otherSides(raw: ConfigReader, modelType: string, name: string): string {
  const known = Object.hasOwn(SIDES, modelType) ? SIDES[modelType] : undefined
  const near = known?.[0] ?? (raw.has('relative_attention_num_buckets') ? 't5' : 'marian')
  const lacking = known ? `what is missing is ${known[1]}` : 'the rest of its architecture is not known here'
  return `model_type ${name} is an encoder-decoder that is not supported; nearest to it is ${quote(near, 60)}, and ${lacking}`
}

function isOn(value: unknown): boolean {
  return value !== undefined && value !== false && value !== 0 && !(Array.isArray(value) && value.length === 0)
}

/** Of the families with its kind of attention the one whose name begins most like it; else the usual one for its attention and MLP. */
function nearest(raw: ConfigReader, modelType: string, running: readonly Running[]): string {
  const latent = raw.has('kv_lora_rank') && raw.has('qk_rope_head_dim')
  const experts = ['n_routed_experts', 'num_local_experts', 'num_experts'].some(key => isOn(raw.raw(key)))
  const usual = latent
    ? isOn(raw.raw('index_topk'))
      ? 'deepseek_v32'
      : 'deepseek_v3'
    : experts
      ? 'qwen3_moe'
      : 'llama'
  const alike = running
    .filter(family => family.latent === latent && (experts || !/moe/.test(family.type)))
    .map(({ type }) => ({ type, length: commonStart(type, modelType) }))
    .filter(({ length }) => length >= 4)
    .sort((a, b) => b.length - a.length || a.type.length - b.type.length)
  return alike[0]?.type ?? usual
}

function commonStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}
