/** Why a model does not run, and which one that runs is most like it. */
import type { ConfigReader } from '../checkpoint/config-reader.ts'
import { quote } from '../checkpoint/quote.ts'
import { KNOWN, type Lacks } from './known-lacks.ts'

/** What no family here computes, by the field that says so. */
const MISSING: readonly (readonly [field: string, what: string])[] = [
  ['compress_ratios', 'compressed sparse attention'],
  ['mamba_d_state', 'layers with a state as Mamba has it'],
  ['mamba_num_heads', 'layers with a state as Mamba has it'],
  ['state_size', 'layers with a state as Mamba has it'],
  ['ssm_state_size', 'layers with a state as Mamba has it'],
  ['rwkv_version', 'layers with a state as RWKV has it'],
  ['altup_num_inputs', 'several streams that take turns'],
  ['laurel_rank', 'low-rank products beside attention'],
  ['attn_logit_softcapping', 'scores with a soft cap'],
  ['hc_mult', 'hyper-connections'],
  ['attention_chunk_size', 'attention in chunks'],
  ['alibi', 'alibi positions'],
]

type Signs = readonly (readonly [field: string, types: readonly string[]])[]

/** Fields that some families alone have: a model with one of them is like these, whatever its name, and one without is not. */
const SIGNS: Signs = [
  ['linear_num_value_heads', ['qwen3_next', 'qwen3_5_text', 'qwen3_5_moe_text']],
  ['linear_attn_config', ['kimi_linear']],
  ['layer_group_size', ['bailing_hybrid']],
  ['conv_L_cache', ['lfm2']],
  ['zero_expert_num', ['longcat_flash']],
  ['gated_norm_rank', ['axk2']],
  ['index_topk', ['deepseek_v32', 'glm_moe_dsa']],
]

/** The same, but a model without the field may be like these too. */
const HINTS: Signs = [
  ['hidden_size_per_layer_input', ['gemma4_text']],
  ['residual_multiplier', ['granite']],
  ['no_rope_layer_interval', ['smollm3']],
]

/** Where a language model stands inside another one. */
const INSIDE = ['text_config', 'language_config', 'llm_config', 'thinker_config']

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
  const meant = running.find(({ type }) => plain(type) === plain(modelType))
  if (meant) return `model_type ${name} is not supported; the family that runs is written ${quote(meant.type, 60)}`
  const inside = INSIDE.find(key => raw.has(key) && typeof raw.raw(key) === 'object' && !Array.isArray(raw.raw(key)))
  if (inside !== undefined) return insideOf(raw.object(inside), inside, name, running)
  const known = lacksOf(modelType)
  const near = quote(known?.[0] ?? nearest(raw, modelType, running), 60)
  const found = MISSING.filter(([field]) => isOn(raw.raw(field)))
  const missing = found
    .filter(([, what], i) => found.findIndex(other => other[1] === what) === i)
    .map(([field, what]) => `${what} (${field})`)
    .slice(0, 4)
  const lacking =
    known !== undefined || missing.length > 0
      ? `what is missing is ${known?.[1] ?? missing.join(', ')}`
      : 'the rest of its architecture is not known here'
  return `model_type ${name} is not supported; nearest to it is ${near}, and ${lacking}`
}

/** Of a model that sees or hears, by the language model inside. */
function insideOf(inner: ConfigReader, key: string, name: string, running: readonly Running[]): string {
  const type = inner.optionalString('model_type') ?? ''
  const runs = running.some(other => other.type === type)
  const near = quote(runs ? type : nearest(inner, type, running), 60)
  const lacking = runs
    ? `what is missing is how it is taken out of the model around it (${key})`
    : `what is missing is the language model inside, ${type === '' ? 'which has no model_type' : quote(type, 60)} (${key})`
  return `model_type ${name} is not supported; nearest to it is ${near}, and ${lacking}`
}

/** Encoder-decoders that are known by name. */
const SIDES: Readonly<Record<string, Lacks>> = {
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

function lacksOf(modelType: string): Lacks | undefined {
  return Object.hasOwn(KNOWN, modelType) ? KNOWN[modelType] : undefined
}

function isOn(value: unknown): boolean {
  return (
    value !== undefined &&
    value !== null &&
    value !== false &&
    value !== 0 &&
    !(Array.isArray(value) && value.length === 0)
  )
}

/** Without what spellings differ in. */
function plain(type: string): string {
  return type.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/**
 * Of the families with a field that the model has and others have not the one whose name begins most like it; else of those with its kind of
 * attention and its first word; else the usual one for its attention and MLP.
 */
function nearest(raw: ConfigReader, modelType: string, running: readonly Running[]): string {
  const latent = raw.has('kv_lora_rank') && raw.has('qk_rope_head_dim')
  const experts = ['n_routed_experts', 'num_local_experts', 'num_experts'].some(key => isOn(raw.raw(key)))
  const signs = [...SIGNS, ...HINTS].filter(([field]) => isOn(raw.raw(field))).flatMap(([, types]) => types)
  const others = SIGNS.flatMap(([, types]) => types)
  const fits = (type: string) => experts || !/moe/.test(type)
  const signed = signs.filter(type => fits(type))
  if (signed.length > 0) return byName(signed, modelType, experts) as string
  const usual = latent ? 'deepseek_v3' : experts ? 'qwen3_moe' : 'llama'
  const alike = running
    .filter(
      ({ type, latent: has }) =>
        has === latent && fits(type) && !others.includes(type) && word(type) === word(modelType),
    )
    .map(({ type }) => type)
  return byName(alike, modelType, experts) ?? usual
}

const word = (type: string) => /^[a-z]*/.exec(type.toLowerCase())?.[0]

/** The one with the longest common beginning; of several one with experts or without, then one of fewest words, then the newest. */
function byName(types: readonly string[], modelType: string, experts: boolean): string | undefined {
  const words = (type: string) => type.split('_').length + (/moe/.test(type) === experts ? 0 : 100)
  return types
    .map(type => ({ type, length: commonStart(type, modelType.toLowerCase()) }))
    .sort((a, b) => b.length - a.length || words(a.type) - words(b.type) || (a.type < b.type ? 1 : -1))[0]?.type
}

function commonStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}
