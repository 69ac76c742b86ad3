/** LFM2 (Liquid AI): gated short convolutions in most layers, grouped attention in the others. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Family } from '../family.ts'
import { HUB_NAMES } from '../names.ts'
import { readRope } from '../read/rope.ts'
import { runnable } from '../runnable.ts'
import { lfm2 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

/** Switches of published files that its code does not read. */
function refuseOthers(raw: ConfigReader, D: number): void {
  for (const key of ['block_use_swiglu', 'use_pos_enc']) if (!raw.bool(key, { default: true })) raw.fail(key, 'true')
  const [architecture] = raw.optionalStrings('architectures') ?? []
  if (architecture && /bidir/i.test(architecture)) {
    throw new UnsupportedModelError(
      `${raw.file}: ${quote(architecture, 60)} sees later tokens, which is not supported.`,
    )
  }
  for (const key of ['block_dim', 'conv_dim', 'conv_dim_out']) {
    if (raw.int(key, { min: 1, default: D }) !== D) raw.fail(key, `hidden_size, ${D}`)
  }
}

export const lfm2: Family = {
  traits: traits.lfm2,
  gguf,
  hubClass: 'Lfm2ForCausalLM',
  names: {
    ...HUB_NAMES,
    finalNorm: 'embedding_norm',
    attentionNorm: 'operator_norm',
    mlpNorm: 'ffn_norm',
    attention: {
      qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
      queryNorm: 'self_attn.q_layernorm',
      keyNorm: 'self_attn.k_layernorm',
      out: 'self_attn.out_proj',
    },
    convolution: { in: 'conv.in_proj', kernel: 'conv.conv', out: 'conv.out_proj' },
    mlp: { gate: 'feed_forward.w1', up: 'feed_forward.w3', down: 'feed_forward.w2' },
  },
  config(raw, model) {
    refuseOthers(raw, model.hiddenSize)
    return runnable(raw, model, {
      attention: 'grouped',
      eps: raw.number('norm_eps', { min: 0, max: 0.1, exclusiveMin: true, default: 1e-5 }),
      // Its code knows no other.
      activation: 'silu',
      ropes: dim => [readRope(raw, { dim, interleaved: false, theta: 1_000_000 })],
      qkNorm: 'head',
      state: {
        kind: 'convolution',
        channels: model.hiddenSize,
        kernel: raw.int('conv_L_cache', { min: 1, max: 32, default: 3 }),
        bias: raw.bool('conv_bias', { default: false }),
      },
    })
  },
}
