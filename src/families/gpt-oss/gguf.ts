/** gpt-oss in llama.cpp's files. */
import { type RopeConfig, ropeFrequencies } from '../../nn/attention/rope.ts'
import { ATTENTION } from '../biases.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { addExpertSizes, expertSizes, STACKED_EXPERTS } from '../gguf/experts.ts'
import { DECODER } from '../gguf/naming.ts'
import { SIZE } from '../gguf/ranges.ts'

const { ffn_norm: _, ...IN_LAYER } = DECODER.inLayer

export const gptOss: Architecture = {
  name: 'gpt-oss',
  naming: {
    ...DECODER,
    inLayer: {
      ...IN_LAYER,
      post_attention_norm: 'post_attention_layernorm',
      'attn_sinks.weight': 'self_attn.sinks',
      ffn_gate_inp: 'mlp.router',
      'ffn_gate_exps.bias': 'mlp.experts.gate_proj.bias',
      'ffn_up_exps.bias': 'mlp.experts.up_proj.bias',
      'ffn_down_exps.bias': 'mlp.experts.down_proj.bias',
    },
    experts: STACKED_EXPERTS,
  },
  biases: [
    { modules: ATTENTION, always: true },
    { modules: /\.mlp\.(router|experts\.(gate|up|down)_proj)$/, single: true },
  ],
  addKeys(keys, { layers }) {
    const moe = layers[0]?.mlp
    if (moe?.kind === 'moe') addExpertSizes(keys, moe)
  },
  warnings: ({ ropes: [rope] }) => (rope ? roundedRamp(rope) : []),
  config(model) {
    const { num_experts, moe_intermediate_size, ...experts } = expertSizes(model.metadata)
    const config = groupedConfig(model)
    const scaling = config.rope_scaling as object | undefined
    return {
      ...config,
      ...experts,
      model_type: 'gpt_oss',
      num_local_experts: num_experts,
      intermediate_size: moe_intermediate_size,
      sliding_window: model.metadata.int('{arch}.attention.sliding_window', SIZE),
      // llama.cpp rounds the ramp's borders; the model's own code does not.
      rope_scaling: scaling ? { ...scaling, truncate: false } : { rope_type: 'default' },
    }
  },
}

function roundedRamp(rope: RopeConfig): string[] {
  const { scaling } = rope
  if (scaling.kind !== 'yarn' || scaling.truncate) return []
  const own = ropeFrequencies(rope).frequencies
  const rounded = ropeFrequencies({ ...rope, scaling: { ...scaling, truncate: true } }).frequencies
  const others = own.filter((f, i) => Math.abs(f - (rounded[i] as number)) > 1e-6 * f).length
  if (others === 0) return []
  return [
    `llama.cpp rounds where YaRN's ramp begins and ends, which the code of this model does not: it rotates ${others} of ${own.length} pairs of numbers otherwise`,
  ]
}
