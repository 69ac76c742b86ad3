/** Qwen3-Next and Qwen3.5 in llama.cpp's files. */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { TensorNaming } from '../../checkpoint/gguf/tensor-naming.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { attends, expertsOf, type ModelConfig } from '../../nn/config.ts'
import type { Architecture, GgufModel } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { addExpertSizes, expertSizes, STACKED_EXPERTS } from '../gguf/experts.ts'
import { DECODER, PREDICTION } from '../gguf/naming.ts'
import { HEADS, LAYERS, SIZE } from '../gguf/ranges.ts'
import { attendingOf, forAllBlocks, layerTypes, neededState, stateLayers, stateOf } from '../gguf/states.ts'

const WIDTH = '{arch}.feed_forward_length'
const SHARED_WIDTH = '{arch}.expert_shared_feed_forward_length'

const NAMING: TensorNaming = {
  ...DECODER,
  inLayer: {
    // In front of the usual name, which no file has.
    post_attention_norm: 'post_attention_layernorm',
    ...DECODER.inLayer,
    attn_qkv: 'linear_attn.in_proj_qkv',
    attn_gate: 'linear_attn.in_proj_z',
    ssm_beta: 'linear_attn.in_proj_b',
    ssm_alpha: 'linear_attn.in_proj_a',
    ssm_conv1d: 'linear_attn.conv1d',
    ssm_a: 'linear_attn.A_log',
    'ssm_dt.bias': 'linear_attn.dt_bias',
    ssm_norm: 'linear_attn.norm',
    ssm_out: 'linear_attn.out_proj',
    ffn_gate_inp: 'mlp.gate',
    ffn_gate_inp_shexp: 'mlp.shared_expert_gate',
    ffn_gate_shexp: 'mlp.shared_expert.gate_proj',
    ffn_up_shexp: 'mlp.shared_expert.up_proj',
    ffn_down_shexp: 'mlp.shared_expert.down_proj',
    ...PREDICTION,
  },
  experts: STACKED_EXPERTS,
  oneRow: ['ffn_gate_inp_shexp'],
}

const SHARED = { decayRates: -1, shownAttention: attendingOf } as const

/** What Qwen3.5 with experts and without share. */
const QWEN35 = { ...SHARED, naming: NAMING, keysByTurns: true, predictions: true, warnings: widthWarnings } as const

export const qwen35: Architecture = {
  ...QWEN35,
  name: 'qwen35',
  addKeys: addQwen35Keys,
  config: model => ({
    ...common(model, groupedConfig(model)),
    model_type: 'qwen3_5_text',
    linear_keys_by_turns: true,
  }),
}

export const qwen35Moe: Architecture = {
  ...QWEN35,
  name: 'qwen35moe',
  addKeys(keys, config) {
    addQwen35Keys(keys, config)
    addMoeKeys(keys, config)
  },
  config: model => ({ ...withExperts(model), model_type: 'qwen3_5_moe_text', linear_keys_by_turns: true }),
}

export const qwen3Next: Architecture = {
  ...SHARED,
  name: 'qwen3next',
  naming: {
    ...NAMING,
    // Older files have what the hub has in one in one.
    inLayer: { ...NAMING.inLayer, ssm_ba: 'linear_attn.in_proj_ba', ssm_in: 'linear_attn.in_proj_qkvz' },
  },
  warnings: config => [...widthWarnings(config), ...denseWarnings(config)],
  addKeys(keys, config) {
    addStateKeys(keys, config)
    addMoeKeys(keys, config)
  },
  config: model => ({
    ...withExperts(model),
    ...denseLayers(model),
    model_type: 'qwen3_next',
    // llama.cpp knows no other.
    norm_topk_prob: true,
  }),
}

function addQwen35Keys(keys: GgufKeys, config: ModelConfig): void {
  addStateKeys(keys, config)
  addSections(keys)
}

function addStateKeys(keys: GgufKeys, config: ModelConfig): void {
  const state = neededState(keys, config, 'delta')
  const carries = config.layers.map(({ attention }) => !attends(attention))
  keys.u32('{arch}.ssm.conv_kernel', state.kernel)
  keys.u32('{arch}.ssm.state_size', state.keyDim)
  keys.u32('{arch}.ssm.group_count', state.nKeyHeads)
  keys.u32('{arch}.ssm.time_step_rank', state.nHeads)
  keys.u32('{arch}.ssm.inner_size', state.nHeads * state.valueDim)
  const interval = carries.indexOf(false) + 1
  keys.u32('{arch}.full_attention_interval', interval || carries.length + 1)
  const regular = carries.every((is, i) => is === (interval === 0 || (i + 1) % interval !== 0))
  if (regular) return
  keys.bools('{arch}.attention.recurrent_layers', forAllBlocks(keys, carries, false))
}

/** Pairs of the rope for time, height and width, which are one in a text; llama.cpp asks for them. */
function addSections(keys: GgufKeys): void {
  keys.numbers('{arch}.rope.dimension_sections', 'i32', [11, 11, 10, 0])
}

function addMoeKeys(keys: GgufKeys, config: ModelConfig): void {
  const [moe] = expertsOf(config)
  if (!moe) return
  addExpertSizes(keys, moe)
  keys.u32(SHARED_WIDTH, moe.sharedSize)
}

function widthWarnings(config: ModelConfig): string[] {
  const state = stateOf(config, 'delta')
  if (!state || state.keyDim === state.valueDim) return []
  return [
    `llama.cpp will not load this file: it expects keys and values of states of one width, and there are ${state.keyDim} and ${state.valueDim}`,
  ]
}

function denseWarnings({ layers }: ModelConfig): string[] {
  const dense = layers.findIndex(({ mlp }) => mlp.kind === 'dense')
  return dense < 0
    ? []
    : [`llama.cpp will not load this file: it expects experts in all layers, and layer ${dense} has none`]
}

function common(
  model: GgufModel,
  { rope_theta, rope_scaling, partial_rotary_factor, ...base }: JsonObject,
): JsonObject {
  const { metadata: m } = model
  const heads = m.int('{arch}.ssm.time_step_rank', HEADS)
  const inner = m.int('{arch}.ssm.inner_size', SIZE)
  if (inner % heads !== 0) m.fail('{arch}.ssm.inner_size', `a multiple of the ${heads} heads (ssm.time_step_rank)`)
  return {
    ...base,
    layer_types: layerTypes(stateLayers(model, 'ssm_a'), 'linear_attention'),
    linear_num_value_heads: heads,
    linear_num_key_heads: m.int('{arch}.ssm.group_count', HEADS),
    linear_key_head_dim: m.int('{arch}.ssm.state_size', SIZE),
    linear_value_head_dim: inner / heads,
    linear_conv_kernel_dim: m.int('{arch}.ssm.conv_kernel', { min: 1, max: 32 }),
    attn_output_gate: true,
    rope_parameters: {
      rope_type: 'default',
      ...(rope_scaling as JsonObject | undefined),
      rope_theta,
      partial_rotary_factor: partial_rotary_factor ?? 1,
    },
  }
}

function withExperts(model: GgufModel): JsonObject {
  const { metadata: m } = model
  const sizes = expertSizes(m)
  const intermediate = m.optionalSameInt(WIDTH, SIZE) ?? (sizes.moe_intermediate_size as number)
  const base = common(model, groupedConfig(model, { intermediate }))
  return {
    ...base,
    ...sizes,
    shared_expert_intermediate_size: m.optionalInt(SHARED_WIDTH, SIZE) ?? intermediate,
  }
}

function denseLayers({ metadata: m, tensors }: GgufModel): JsonObject {
  const layers = Array.from({ length: m.int('{arch}.block_count', LAYERS) }, (_, i) => i)
  const dense = layers.filter(i => tensors.has(`blk.${i}.ffn_up.weight`))
  return dense.length > 0 ? { mlp_only_layers: dense } : {}
}
