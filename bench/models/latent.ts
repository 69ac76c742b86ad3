/** Models with latents in all layers. */
import { common, denseMlp, type Experts, expertMlp, f32, matrix, norm, type Shape, tensors, u32 } from './parts.ts'
import type { RandomModel, RandomTensor } from './write-model.ts'

/** As in DeepSeek-V2: latent, rope key, and what a head has of each. */
const LATENT = { latent: 512, rope: 64, nope: 128, value: 128 } as const

/** `qRank`: of the query's latent; null: it has none. */
export function latentAttention(s: Shape, qRank: number | null): RandomTensor[] {
  const { latent: C, rope: R, nope: N, value: V } = LATENT
  const { width: D, heads: H } = s
  const query =
    qRank === null
      ? [matrix(s, 'attn_q', D, H * (N + R))]
      : [matrix(s, 'attn_q_a', D, qRank), norm('attn_q_a_norm', qRank), matrix(s, 'attn_q_b', qRank, H * (N + R))]
  return [
    ...query,
    matrix(s, 'attn_kv_a_mqa', D, C + R),
    norm('attn_kv_a_norm', C),
    matrix(s, 'attn_k_b', N, C, H),
    matrix(s, 'attn_v_b', C, V, H),
    matrix(s, 'attn_output', H * V, D),
  ]
}

/** Its keys but for the heads of keys. */
export function latentKeys(architecture: string, qRank: number | null): RandomModel['metadata'] {
  const { latent: C, rope: R, nope: N, value: V } = LATENT
  const key = (name: string) => `${architecture}.${name}`
  return {
    [key('attention.kv_lora_rank')]: u32(C),
    [key('rope.dimension_count')]: u32(R),
    [key('attention.key_length')]: u32(C + R),
    [key('attention.value_length')]: u32(C),
    [key('attention.key_length_mla')]: u32(N + R),
    [key('attention.value_length_mla')]: u32(V),
    ...(qRank !== null && { [key('attention.q_lora_rank')]: u32(qRank) }),
  }
}

/** deepseek2: dense, or with experts in all layers but the first. */
export function latentModel(s: Shape, qRank: number | null, experts: Experts | null): RandomModel {
  const key = (name: string) => `deepseek2.${name}`
  const metadata = {
    ...common('deepseek2', s),
    ...latentKeys('deepseek2', qRank),
    [key('attention.head_count_kv')]: u32(1),
    [key('leading_dense_block_count')]: u32(experts ? 1 : s.layers),
    [key('expert_shared_count')]: u32(experts?.shared ?? 0),
    [key('expert_feed_forward_length')]: u32(experts?.width ?? s.feedForward),
    // Without it ik_llama.cpp refuses dense models, too.
    [key('expert_weights_scale')]: f32(1),
    ...(experts && {
      [key('expert_count')]: u32(experts.count),
      [key('expert_used_count')]: u32(experts.active),
    }),
  }
  const attention = latentAttention(s, qRank)
  const mlp = (i: number) => (experts && i > 0 ? expertMlp(s, experts) : denseMlp(s))
  return { metadata, tensors: tensors(s, i => [...attention, ...mlp(i)]) }
}
