/** Models in which most layers carry a state in place of keys. */
import { latentAttention, latentKeys } from './latent.ts'
import {
  common,
  denseMlp,
  type Experts,
  expertMlp,
  f32,
  matrix,
  norm,
  numbers,
  type Shape,
  tensors,
  u32,
} from './parts.ts'
import type { RandomModel } from './write-model.ts'

const [HEAD, KERNEL] = [128, 4]

/** bailingmoe3 (Ling 3.0): every `group`th layer has latents, the others the gated delta rule; experts in all layers but the first. */
export function lingModel(s: Shape, qRank: number, group: number, experts: Experts): RandomModel {
  const { width: D, heads: H } = s
  const inner = H * HEAD
  const state = [
    ...['q', 'k', 'v'].flatMap(part => [
      matrix(s, `attn_${part}`, D, inner),
      numbers(`ssm_conv1d_${part}.weight`, KERNEL, 1, inner),
    ]),
    matrix(s, 'ssm_beta', D, H),
    matrix(s, 'ssm_f_a', D, inner),
    matrix(s, 'ssm_g_a', D, inner),
    numbers('ssm_a', 1, H),
    numbers('ssm_dt.bias', inner),
    norm('ssm_norm', HEAD),
    matrix(s, 'attn_output', inner, D),
  ]
  const latent = [...latentAttention(s, qRank), matrix(s, 'attn_gate', D, H)]
  const attends = (i: number) => (i + 1) % group === 0
  const mlp = (i: number) =>
    i === 0 ? denseMlp(s) : [...expertMlp(s, experts), numbers('exp_probs_b.bias', experts.count)]
  const key = (name: string) => `bailingmoe3.${name}`
  const metadata = {
    ...common('bailingmoe3', s),
    ...latentKeys('bailingmoe3', qRank),
    [key('rope.freq_base')]: f32(6e6),
    [key('attention.head_count_kv')]: [
      'array',
      'u32',
      Array.from({ length: s.layers }, (_, i) => (attends(i) ? 1 : 0)),
    ],
    [key('ssm.conv_kernel')]: u32(KERNEL),
    [key('kda.head_dim')]: u32(HEAD),
    [key('kda.safe_gate')]: ['bool', true],
    [key('kda.gate_lower_bound')]: f32(-5),
    [key('leading_dense_block_count')]: u32(1),
    [key('expert_count')]: u32(experts.count),
    [key('expert_used_count')]: u32(experts.active),
    [key('expert_shared_count')]: u32(experts.shared),
    [key('expert_feed_forward_length')]: u32(experts.width),
    [key('expert_shared_feed_forward_length')]: u32(experts.width * experts.shared),
    // As published it is 2.5: of random experts, which one rounding or another chooses, little should depend on which.
    [key('expert_weights_scale')]: f32(0.25),
    [key('expert_weights_norm')]: ['bool', true],
    // Sigmoid.
    [key('expert_gating_func')]: u32(2),
  } as const
  return { metadata, tensors: tensors(s, i => [...(attends(i) ? latent : state), ...mlp(i)]) }
}
