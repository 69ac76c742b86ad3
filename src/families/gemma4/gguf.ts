/** Gemma 4, text, in llama.cpp's files: sizes of heads by type of layer, and some keys layer by layer. */

import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { GroupedAttentionConfig } from '../../nn/attention/config.ts'
import { expertsOf, type LayerConfig, type ModelConfig } from '../../nn/config.ts'
import type { Architecture, GgufModel } from '../gguf/architecture.ts'
import { decoderConfig } from '../gguf/common.ts'
import { addExpertSizes, expertSizes, STACKED_EXPERTS } from '../gguf/experts.ts'
import { DECODER } from '../gguf/naming.ts'
import { HEADS, LAYERS, SIZE } from '../gguf/ranges.ts'

const PATTERN = '{arch}.attention.sliding_window_pattern'
const SHARED = '{arch}.attention.shared_kv_layers'
const MLP = '{arch}.feed_forward_length'
const KV_HEADS = '{arch}.attention.head_count_kv'
const INPUTS = '{arch}.embedding_length_per_layer_input'
const CAP = '{arch}.final_logit_softcapping'

/** Where the key is missing, as in llama.cpp. */
const USUAL_CAP = 30

/** Divisors of the frequencies that do not turn. */
const STILL = 1e29

export const gemma4: Architecture = {
  name: 'gemma4',
  ropeDivisors: 'one',
  naming: {
    model: {
      ...DECODER.model,
      per_layer_token_embd: 'model.embed_tokens_per_layer',
      per_layer_model_proj: 'model.per_layer_model_projection',
      per_layer_proj_norm: 'model.per_layer_projection_norm',
    },
    layer: DECODER.layer,
    inLayer: {
      ...DECODER.inLayer,
      post_attention_norm: 'post_attention_layernorm',
      ffn_norm: 'pre_feedforward_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
      inp_gate: 'per_layer_input_gate',
      proj: 'per_layer_projection',
      post_norm: 'post_per_layer_input_norm',
      'layer_output_scale.weight': 'layer_scalar',
      ffn_gate_inp: 'router.proj',
      'ffn_gate_inp.scale': 'router.scale',
      'ffn_down_exps.scale': 'router.per_expert_scale',
      pre_ffw_norm_2: 'pre_feedforward_layernorm_2',
      post_ffw_norm_1: 'post_feedforward_layernorm_1',
      post_ffw_norm_2: 'post_feedforward_layernorm_2',
    },
    experts: { ...STACKED_EXPERTS, expert: 'experts.{expert}.' },
  },
  shownAttention: ({ layers }) => attentionOf(layers, layer => layer.window === null),
  addKeys,
  config,
}

function attentionOf(
  layers: readonly LayerConfig[],
  holds: (layer: LayerConfig) => boolean,
): GroupedAttentionConfig | undefined {
  const found = layers.find(layer => layer.attention.kind === 'grouped' && holds(layer))
  return found?.attention as GroupedAttentionConfig | undefined
}

function addKeys(keys: GgufKeys, config: ModelConfig): void {
  const { layers, layerInputs, logitCap } = config
  const local = attentionOf(layers, layer => layer.window !== null)
  if (local) {
    keys.u32('{arch}.attention.key_length_swa', local.headDim)
    keys.u32('{arch}.attention.value_length_swa', local.headDim)
    keys.u32('{arch}.rope.dimension_count_swa', local.headDim)
  }
  keys.bools(
    PATTERN,
    layers.map(layer => layer.window !== null),
  )
  const each = (key: string, of: (layer: LayerConfig) => number) => {
    const all = layers.map(of)
    if (new Set(all).size > 1) keys.numbers(key, 'u32', all)
  }
  each(MLP, ({ mlp }) => (mlp.kind === 'dense' ? mlp.size : 0))
  each(KV_HEADS, ({ attention: a }) => (a.kind === 'grouped' ? a.nKvHeads : 0))
  keys.u32(SHARED, layers.filter(({ attention: a }) => a.kind === 'grouped' && a.keysOf !== undefined).length)
  keys.u32(INPUTS, layerInputs?.width ?? 0)
  // 0: none.
  keys.f32(CAP, logitCap ?? 0)
  const [moe] = expertsOf(config)
  if (moe) addExpertSizes(keys, moe)
}

function config(model: GgufModel): JsonObject {
  const { metadata: m, tensors } = model
  const count = m.int('{arch}.block_count', LAYERS)
  const local = (m.optionalInts(PATTERN, { length: count, max: 1 }) ?? m.missing(PATTERN, 'a flag for each layer')).map(
    flag => flag === 1,
  )
  const shared = m.optionalInt(SHARED, { max: count }) ?? 0
  const {
    rope_theta,
    rope_scaling: _,
    ...base
  } = decoderConfig(model, { intermediate: byLayer(m, MLP, count)[0] as number })
  const width = m.optionalInt(INPUTS) ?? 0
  const cap = m.optionalNumber(CAP) ?? USUAL_CAP
  const moe = tensors.has('blk.0.ffn_gate_inp.weight')
  const { num_experts_per_tok, ...experts } = moe ? expertSizes(m) : ({} as JsonObject)
  return {
    ...base,
    model_type: 'gemma4_text',
    hidden_activation: 'gelu_pytorch_tanh',
    layer_types: local.map(is => (is ? 'sliding_attention' : 'full_attention')),
    sliding_window: m.int('{arch}.attention.sliding_window', SIZE),
    num_kv_shared_layers: shared,
    use_double_wide_mlp: isWide(m, count, shared),
    ...heads(model, local, shared),
    hidden_size_per_layer_input: width,
    vocab_size_per_layer_input: tensors.get('per_layer_token_embd.weight')?.shape[0] ?? base.vocab_size,
    ...(cap && { final_logit_softcapping: cap }),
    rope_parameters: {
      full_attention: { ...wholeRope(model), rope_theta },
      sliding_attention: {
        rope_type: 'default',
        rope_theta: m.optionalNumber('{arch}.rope.freq_base_swa') ?? 10_000,
      },
    },
    ...(moe && { ...experts, enable_moe_block: true, top_k_experts: num_experts_per_tok }),
  }
}

/** A key that has one number, or one for each layer. */
function byLayer(m: Metadata, key: string, count: number): number[] {
  const range = { min: 1, max: SIZE.max }
  if (typeof m.raw(key) === 'object') return m.optionalInts(key, { ...range, length: count }) as number[]
  return Array.from({ length: count }, () => m.int(key, range))
}

/** The layers that share keys have MLPs twice as wide. */
function isWide(m: Metadata, count: number, shared: number): boolean {
  const sizes = byLayer(m, MLP, count)
  const [first = 0] = sizes
  const last = sizes.at(-1) as number
  const wide = shared > 0 && shared < count && last === 2 * first
  const expected = (i: number) => first * (wide && i >= count - shared ? 2 : 1)
  if (sizes.some((size, i) => size !== expected(i))) {
    m.fail(MLP, `one width for the first ${count - shared} layers, and the same or its double for the others`)
  }
  return wide
}

function heads({ metadata: m, tensors }: GgufModel, local: readonly boolean[], shared: number): JsonObject {
  const count = local.length
  const kv = byLayer(m, KV_HEADS, count)
  if (kv.some(n => n > HEADS.max)) m.fail(KV_HEADS, `at most ${HEADS.max}`)
  const of = (windowed: boolean) => kv[local.indexOf(windowed)]
  const [within, whole] = [of(true) ?? kv[0], of(false) ?? kv[0]]
  const dim = m.int('{arch}.attention.key_length', SIZE)
  const small = m.optionalInt('{arch}.attention.key_length_swa', SIZE) ?? dim
  const own = local.findIndex((is, i) => !is && i < count - shared)
  const keysAreValues = own >= 0 && !tensors.has(`blk.${own}.attn_v.weight`)
  const sizes = { head_dim: small, num_key_value_heads: within, attention_k_eq_v: keysAreValues }
  if (keysAreValues || within === whole) {
    return { ...sizes, global_head_dim: dim, ...(within !== whole && { num_global_key_value_heads: whole }) }
  }
  const others = local.flatMap((is, i) => (is ? [] : [[i, { head_dim: dim, num_key_value_heads: whole }] as const]))
  return { ...sizes, per_layer_config: Object.fromEntries(others) }
}

/** The frequencies that rotate come first; divisors say which. */
function wholeRope({ ropeTensors: { frequencies } }: GgufModel): JsonObject {
  if (!frequencies) return { rope_type: 'default' }
  const rotating = frequencies.findIndex(f => f >= STILL)
  const pairs = rotating < 0 ? frequencies.length : rotating
  const proportional = frequencies.every((f, i) => (i < pairs ? f === frequencies[0] : f >= STILL))
  if (!proportional) return { rope_type: 'factors', factors: frequencies }
  const [factor = 1] = pairs > 0 ? frequencies : []
  return { rope_type: 'proportional', partial_rotary_factor: pairs / frequencies.length, factor }
}
