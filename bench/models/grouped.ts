/** Models with heads of keys and values. */
import { common, denseMlp, type Experts, expertMlp, f32, matrix, norm, type Shape, tensors, u32 } from './parts.ts'
import type { RandomModel } from './write-model.ts'

/** llama */
export function groupedModel(s: Shape, kvHeads: number): RandomModel {
  const headDim = s.width / s.heads
  const layer = [
    matrix(s, 'attn_q', s.width, s.width),
    matrix(s, 'attn_k', s.width, kvHeads * headDim),
    matrix(s, 'attn_v', s.width, kvHeads * headDim),
    matrix(s, 'attn_output', s.width, s.width),
    ...denseMlp(s),
  ]
  const metadata = {
    ...common('llama', s),
    'llama.attention.head_count_kv': u32(kvHeads),
    'llama.rope.dimension_count': u32(headDim),
  }
  return { metadata, tensors: tensors(s, () => layer) }
}

/** qwen3moe: experts in all layers, heads of 128 numbers, whatever the width. */
export function qwenModel(s: Shape, kvHeads: number, experts: Experts): RandomModel {
  const headDim = 128
  const layer = [
    matrix(s, 'attn_q', s.width, s.heads * headDim),
    matrix(s, 'attn_k', s.width, kvHeads * headDim),
    matrix(s, 'attn_v', s.width, kvHeads * headDim),
    norm('attn_q_norm', headDim),
    norm('attn_k_norm', headDim),
    matrix(s, 'attn_output', s.heads * headDim, s.width),
    ...expertMlp(s, experts),
  ]
  const key = (name: string) => `qwen3moe.${name}`
  const metadata = {
    ...common('qwen3moe', s),
    [key('rope.freq_base')]: f32(1e6),
    [key('attention.head_count_kv')]: u32(kvHeads),
    [key('attention.key_length')]: u32(headDim),
    [key('attention.value_length')]: u32(headDim),
    [key('rope.dimension_count')]: u32(headDim),
    [key('expert_count')]: u32(experts.count),
    [key('expert_used_count')]: u32(experts.active),
    [key('expert_feed_forward_length')]: u32(experts.width),
  }
  return { metadata, tensors: tensors(s, () => layer) }
}
