/**
 * What a config.json says that the planner does not understand. A field counts as understood where the planner reads
 * it or where it cannot change memory; what is left and sounds like memory is told.
 */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { layerTypes } from '../../families/describe/layers.ts'
import { sideFields } from '../../families/describe/sides.ts'
import { BY_LAYER } from '../../families/describe/variants.ts'
import type { Unknown } from '../../families/descriptor.ts'
import { ownFields, traitsOf } from '../../families/index.ts'

const words = (text: string) => new Set(text.split(/\s+/).filter(Boolean))

/** Read in every family, or known to change nothing here. */
const UNDERSTOOD = words(`
  hidden_size n_embd d_model num_attention_heads n_head num_heads num_key_value_heads num_kv_heads n_head_kv
  multi_query new_decoder_architecture head_dim qk_head_dim q_head_dim kv_lora_rank q_lora_rank qk_rope_head_dim
  qk_nope_head_dim v_head_dim num_hidden_layers n_layer num_layers layer_types sliding_window use_sliding_window
  max_window_layers sliding_window_pattern _sliding_window_pattern
  index_topk index_n_heads index_head_dim indexer_types index_topk_pattern index_topk_freq index_skip_topk_offset
  indexer_rope_interleave index_rope_interleave per_layer_config
  intermediate_size ffn_hidden_size n_inner ffn_dim moe_intermediate_size n_routed_experts num_local_experts num_experts
  num_experts_per_tok num_experts_per_token experts_per_token moe_topk n_shared_experts num_shared_experts
  shared_expert_intermediate_size moe_shared_expert_intermediate_size topk_method first_k_dense_replace moe_layer_freq
  decoder_sparse_step mlp_only_layers mlp_layer_types moe_router_enable_expert_bias
  num_nextn_predict_layers mtp_num_hidden_layers mtp_num_layers num_kv_shared_layers
  linear_attn_config linear_num_key_heads linear_num_value_heads linear_key_head_dim linear_value_head_dim
  linear_conv_kernel_dim full_attention_interval conv_L_cache conv_bias full_attn_idxs mamba_ssm_dtype
  vocab_size max_position_embeddings n_positions max_seq_len model_max_length n_ctx seq_length
  tie_word_embeddings attention_bias mlp_bias use_bias bias parallel_attn quantization_config

  original_max_position_embeddings initial_context_length attention_method attn_implementation _attn_implementation
  n_group topk_group num_expert_group use_grouped_topk moe_renormalize norm_topk_prob expert_capacity zero_expert_type
  no_rope_layers no_rope_layer_interval mla_use_nope mla_scale_q_lora mla_scale_kv_lora kda_safe_gate kda_lower_bound
  pretraining_tp ep_size num_logits_to_keep rotary_dim rotary_pct partial_rotary_factor alibi cross_attention
  add_cross_attention is_decoder cross_attention_hidden_size chunk_size_feed_forward query_pre_attn_scalar
  attn_logit_softcapping final_logit_softcapping normalization_function block_size_feed_forward
  layer_norm_epsilon scale_attn_by_inverse_layer_idx summary_first_dropout
  seq_aux use_cache num_ln_in_parallel_attn dim_model_base use_qk_norm qk_layernorm use_mup is_decoder
  is_encoder_decoder type_vocab_size pad_key_length image_token_id
`)

/** Dropouts, scales, ids, switches of training and of transformers itself. */
const HARMLESS =
  /drop|_coef|coeff|loss|grad|token_id|token_index|_index$|_ids?$|(eps|epsilon|std|range|gain)$|init|rope|rotary|theta|scal(e|ing|ar)|beta$|multiplier|act(ivation)?(_fn|_func|function)?$|softcap|_cap$|_cache$|^output_|^return_|dtype|version|implementation|^_|jitter|temperature|alpha$|score_func|scoring_func|router_activation|tokenizer|label|prun|problem_type|task_|softmax_in|fp\d\d$|beam|summary_|max_length|min_length|prefix$|decoding|bad_words|suppress|architectures|auto_map|model_type|transformers|quant|limit$|truncat|mrope|norm_(type|topk|eps|epsilon)|layer_?norm$|position_embedding_type|classifier|dim_att_scale|unsloth|checkpoint_path|reference_compile|fused|flash|sdpa|triton|parallel(ism)?$|_lr$|seed$|clip|clamp/i

/** Says of single layers what they are, and so is told whatever else its name sounds like. */
const OF_LAYERS =
  /(^|_)(windows?|heads|layers|mixers?|yoco|layer_(ids?|idxs?|index|indexes|indices|types?|steps?|shar(e|ed|ing)))(_|$)|(^|_)attn_type_ids$/i

/** Sounds like layers, heads, widths, states, windows or parts of the model. */
const OF_CACHE =
  /layers?_(block_)?type|pattern|sliding|window|chunk|share|(^|_)cla(_|$)|index|sparse|linear|conv|state|ssm|mamba|rwkv|delta|kda|gdn|recurren|retention|attn|attention|head|kv|qk|rank|latent|compress|memory|cache|block|hybrid|period|interval|offset|group_size|interleave|layer/i
const OF_WEIGHTS =
  /expert|moe|mlp|ffn|router|intermediate|hidden|width|embed|per_layer|n_?gram|mtp|nextn|medusa|eagle|draft|lora|adapter|vision|audio|speech|image|video|vit|altup|laurel|hyper|mhc|hc_|cross|encoder|projector|table|dim|size|rank|num_|^n_/i

/** Parts beside the language model, one level down. */
const OTHER_PART =
  /^(?!text_|language_|llm_).*(vision|visual|audio|speech|image|video|vit|projector|qformer|perceiver|encoder|decoder|codec|vq|backbone|resampler|tower|tokenizer|aligner|head).*_(config|cfg)$|^(vision|audio|visual)$|^(mm_)?(vision|audio|speech)_tower$/i

/** `named`: whether the family is one that the planner knows; of others every number that is left is told. */
export function unknownFields(
  top: ConfigReader,
  raw: ConfigReader,
  modelType: string,
  { named }: { readonly named: boolean },
): Unknown[] {
  const sides = traitsOf(modelType)?.sides
  const own = new Set([...ownFields(modelType), ...(sides ? sideFields(sides) : [])])
  const found: Unknown[] = []
  for (const field of raw.keys()) {
    const value = raw.raw(field)
    if (isOff(value) || UNDERSTOOD.has(field) || own.has(field)) continue
    if (OTHER_PART.test(field)) found.push(otherPart(field))
    else if (OF_LAYERS.test(field)) found.push(unread(field, value, 'both'))
    else if (HARMLESS.test(field) || isText(field, value)) continue
    else if (OF_CACHE.test(field)) found.push(unread(field, value, 'both'))
    else if (OF_WEIGHTS.test(field) || (!named && typeof value === 'number'))
      found.push(unread(field, value, 'weights'))
  }
  if (top !== raw)
    for (const field of top.keys()) if (OTHER_PART.test(field) && !isOff(top.raw(field))) found.push(otherPart(field))
  const types = [...unknownTypes(raw), ...missingWindows(raw, modelType)]
  return [...found, ...latentLeft(raw), ...types, ...unknownByLayer(raw), ...assumedWindows(raw, modelType, named)]
}

/** Texts name ways of computing, except where they say which layer is of which kind. */
function isText(field: string, value: unknown): boolean {
  return typeof value === 'string' && !/pattern|layout|schedule|layers/i.test(field)
}

function isOff(value: unknown): boolean {
  if (value === undefined || value === false || value === 0 || value === '') return true
  if (typeof value !== 'object' || value === null) return false
  return Object.keys(value).length === 0
}

function unread(field: string, value: unknown, affects: Unknown['affects']): Unknown {
  return { field, affects, reason: `${shown(value)} is not understood` }
}

function otherPart(field: string): Unknown {
  return { field, affects: 'weights', reason: 'a part beside the language model, whose weights are not counted' }
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value)
}

/** Kinds of layers whose rows are understood; `linear_attention` and `conv` are read before, or refused. */
const TYPES = words(
  'full_attention sliding_attention chunked_attention attention global_attention indexed_attention linear_attention conv',
)

function unknownTypes(raw: ConfigReader): Unknown[] {
  const types = layerTypes(raw).filter(t => !TYPES.has(t) || (t === 'indexed_attention' && !raw.has('index_topk')))
  return [...new Set(types)].slice(0, 8).map(type => {
    const reason = `layers of type ${JSON.stringify(type.slice(0, 40))} are counted as if they kept every token`
    return { field: 'layer_types', affects: 'cache', reason }
  })
}

/** Latents are recognised by two fields; with one of them the layers were read as if they kept heads. */
function latentLeft(raw: ConfigReader): Unknown[] {
  const [given, missing] = raw.has('kv_lora_rank')
    ? ['kv_lora_rank', 'qk_rope_head_dim']
    : ['qk_rope_head_dim', 'kv_lora_rank']
  if (!raw.has(given) || raw.has(missing)) return []
  const reason = `without ${missing} it is not understood: keys and values are counted by heads`
  return [{ field: given, affects: 'both', reason }]
}

/** Layers that are said to have a window or a chunk of a length that is not said. */
function missingWindows(raw: ConfigReader, modelType: string): Unknown[] {
  if (traitsOf(modelType)?.window) return []
  const types = new Set(layerTypes(raw))
  const lengths = { sliding_attention: 'sliding_window', chunked_attention: 'attention_chunk_size' }
  return Object.entries(lengths).flatMap(([type, field]): Unknown[] => {
    if (!types.has(type) || raw.has(field)) return []
    const reason = `${type} has no ${field}: its layers are counted as if they kept every token`
    return [{ field: 'layer_types', affects: 'cache', reason }]
  })
}

function unknownByLayer(raw: ConfigReader): Unknown[] {
  const all = raw.optionalObject('per_layer_config')
  const names = new Set(all?.keys().flatMap(key => all.object(key).keys()))
  return [...names].flatMap(name =>
    BY_LAYER.test(name) ? [] : [{ field: `per_layer_config.${name}`, affects: 'both', reason: 'it is not understood' }],
  )
}

/** Families differ in which layers have the window, and an unknown one says nothing of it here. */
function assumedWindows(raw: ConfigReader, modelType: string, named: boolean): Unknown[] {
  const told = ['layer_types', 'sliding_window_pattern', '_sliding_window_pattern'].some(key => raw.has(key))
  const off = raw.raw('use_sliding_window') === false || !raw.has('sliding_window') || /^(qwen|glm)/.test(modelType)
  if (named || told || off) return []
  return [{ field: 'sliding_window', affects: 'cache', reason: 'every layer is assumed to have it' }]
}
