/**
 * Qwen3-Next and Qwen3.5, dense and with experts: Gated DeltaNet (arXiv 2412.06464) in most layers, in the others gated attention of whose heads
 * a quarter rotates. Norms are stored less 1. On the hub Qwen3.5 stands inside a model that sees (`text_config`).
 */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { ATTENTION } from '../biases.ts'
import type { DeltaRuleNames, ExpertNames, Family, TensorNames } from '../family.ts'
import { GROUPED, HUB_NAMES, ROUTED } from '../names.ts'
import { deltaNet } from '../read/delta.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { softmaxRouting } from '../read/softmax-routing.ts'
import { type Arithmetic, type Routing, runnable } from '../runnable.ts'
import * as gguf from './gguf.ts'
import * as traits from './traits.ts'

const NAMES: TensorNames = {
  ...HUB_NAMES,
  attention: { ...GROUPED, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
  delta: {
    qkv: ['linear_attn.in_proj_qkv'],
    kernels: ['linear_attn.conv1d'],
    beta: 'linear_attn.in_proj_b',
    decay: ['linear_attn.in_proj_a'],
    decayRate: 'linear_attn.A_log',
    decayBias: 'linear_attn.dt_bias',
    gate: ['linear_attn.in_proj_z'],
    norm: 'linear_attn.norm',
    out: 'linear_attn.out_proj',
  },
  normOffset: 1,
  prediction: {
    at: 'mtp.',
    layer: 'layers.0.',
    embeddingNorm: 'pre_fc_norm_embedding',
    hiddenNorm: 'pre_fc_norm_hidden',
    join: 'fc',
    norm: 'norm',
  },
  ignored: [...(HUB_NAMES.ignored ?? []), /^mtp\./],
}

const MOE: ExpertNames = { ...ROUTED, shared: 'mlp.shared_expert.', sharedGate: 'mlp.shared_expert_gate' }

/** Its code normalises the chosen scores whatever the file says. */
const ROUTING: Routing = { scoring: 'softmax', groups: 1, topkGroups: 1, groupScore: 'max', normalise: true, scale: 1 }

export const qwen35: Family = {
  traits: traits.qwen35,
  gguf: gguf.qwen35,
  hubClass: 'Qwen3_5ForCausalLM',
  insideOf: ['qwen3_5'],
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: NAMES,
  config: (raw, model) => runnable(raw, model, arithmetic(raw)),
}

/** Qwen3-Next: the same, with matrices whose rows lie head by head. */
export const qwen3Next: Family = {
  traits: traits.qwen3Next,
  gguf: gguf.qwen3Next,
  hubClass: 'Qwen3NextForCausalLM',
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...NAMES,
    delta: {
      ...(NAMES.delta as DeltaRuleNames),
      qkv: ['linear_attn.in_proj_qkvz'],
      beta: 'linear_attn.in_proj_ba',
      decay: [],
      gate: [],
      apart: { qkv: 'linear_attn.in_proj_qkv', gate: 'linear_attn.in_proj_z' },
    },
    moe: MOE,
  },
  config: (raw, model) => runnable(raw, model, { ...arithmetic(raw, 'byHead'), routing: softmaxRouting(raw, true) }),
}

export const qwen35Moe: Family = {
  traits: traits.qwen35Moe,
  gguf: gguf.qwen35Moe,
  hubClass: 'Qwen3_5MoeForCausalLM',
  insideOf: ['qwen3_5_moe'],
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: { ...NAMES, moe: MOE },
  config: (raw, model) => runnable(raw, model, { ...arithmetic(raw), routing: ROUTING }),
}

function arithmetic(raw: ConfigReader, projections: 'joined' | 'byHead' = 'joined'): Arithmetic {
  const base = groupedArithmetic(raw, { eps: 1e-6, rotary: 0.25 })
  if (base.activation !== 'silu') raw.fail('hidden_act', 'silu')
  // Of what the delta rule finds; transformers knows no other.
  raw.oneOf('output_gate_type', ['swish', 'silu'], { default: 'silu' })
  if (!raw.bool('attn_output_gate', { default: true })) {
    const type = quote(raw.string('model_type'), 60)
    throw new UnsupportedModelError(
      `${raw.file}: ${type} without a gate on attention (attn_output_gate) is not supported.`,
    )
  }
  return {
    ...base,
    qkNorm: 'head',
    gated: true,
    own: ['attention gate', 'gate bias', 'shared expert gate'],
    state: deltaNet(raw, projections, base.eps),
  }
}
