/** The names that most architectures share, in GGUF and on the hub. */
import type { TensorNaming } from '../../checkpoint/gguf/tensor-naming.ts'

export const DECODER: TensorNaming = {
  model: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
  layer: 'model.layers.{layer}.',
  inLayer: {
    attn_norm: 'input_layernorm',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    attn_output: 'self_attn.o_proj',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
  },
}

/** Gate and up in one matrix, the gate's rows first. */
export const JOINED_MLP = { ffn_up: 'mlp.gate_up_proj' } as const

/** Of a module of multi-token prediction, which is a layer past the last. */
export const PREDICTION = {
  'nextn.eh_proj': 'eh_proj',
  'nextn.enorm': 'enorm',
  'nextn.hnorm': 'hnorm',
  'nextn.embed_tokens': 'embed_tokens',
  'nextn.shared_head_norm': 'shared_head.norm',
  'nextn.shared_head_head': 'shared_head.head',
} as const

/** With the latents of MLA. */
export const LATENT: TensorNaming = {
  ...DECODER,
  inLayer: {
    ...DECODER.inLayer,
    attn_q_a: 'self_attn.q_a_proj',
    attn_q_a_norm: 'self_attn.q_a_layernorm',
    attn_q_b: 'self_attn.q_b_proj',
    attn_kv_a_mqa: 'self_attn.kv_a_proj_with_mqa',
    attn_kv_a_norm: 'self_attn.kv_a_layernorm',
    attn_kv_b: 'self_attn.kv_b_proj',
    attn_k_b: 'self_attn.k_b_proj',
    attn_v_b: 'self_attn.v_b_proj',
    ...PREDICTION,
  },
  perHead: ['attn_k_b', 'attn_v_b'],
}
