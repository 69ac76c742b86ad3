/** A model's sizes and settings as llama.cpp's keys. */

import type { ArchitectureName } from '../../families/gguf/index.ts'
import type { GroupedAttentionConfig, LatentAttentionConfig } from '../../nn/attention/config.ts'
import type { ModelConfig, MoeConfig } from '../../nn/config.ts'
import { attentionOf } from '../source-model.ts'
import { addRopeKeys } from './rope-keys.ts'
import { GgufKeys } from './values.ts'

export interface LayoutOptions {
  /** MLA with one `attn_kv_b`, as files were written before llama.cpp computed on the latent. Default false. */
  readonly legacyMla?: boolean
}

const SOFTMAX = 1
const SIGMOID = 2
/** Every sixth layer of Gemma 3 sees all keys; llama.cpp assumes it. */
const GEMMA_PATTERN = 6

export function modelKeys(config: ModelConfig, architecture: ArchitectureName, layout: LayoutOptions): GgufKeys {
  const keys = new GgufKeys(architecture)
  const attention = attentionOf(config)
  keys.string('general.type', 'model')
  keys.u32('{arch}.block_count', config.nLayers)
  keys.u32('{arch}.context_length', config.maxPositions)
  keys.u32('{arch}.embedding_length', config.hiddenSize)
  keys.u32('{arch}.feed_forward_length', denseSize(config))
  keys.u32('{arch}.attention.head_count', attention.nHeads)
  keys.f32(`{arch}.attention.layer_norm_${config.norm.kind === 'rms' ? 'rms_' : ''}epsilon`, config.norm.eps)
  keys.u32('{arch}.vocab_size', config.vocabSize)
  if (attention.kind === 'latent') addLatentKeys(keys, attention, layout)
  else addGroupedKeys(keys, attention)
  addRopeKeys(keys, config)
  addWindowKeys(keys, config)
  if (architecture === 'deepseek2') addExpertKeys(keys, config)
  if (architecture === 'minicpm3') addScaleKeys(keys, config)
  return keys
}

function addGroupedKeys(keys: GgufKeys, { nKvHeads, headDim }: GroupedAttentionConfig): void {
  keys.u32('{arch}.attention.head_count_kv', nKvHeads)
  keys.u32('{arch}.attention.key_length', headDim)
  keys.u32('{arch}.attention.value_length', headDim)
}

/** The new layout describes the cache (one head of C + R numbers, whose first C are its value), the old one the heads. */
function addLatentKeys(keys: GgufKeys, a: LatentAttentionConfig, { legacyMla = false }: LayoutOptions): void {
  const key = a.qkNopeHeadDim + a.qkRopeHeadDim
  keys.u32('{arch}.attention.q_lora_rank', a.qLoraRank ?? undefined)
  keys.u32('{arch}.attention.kv_lora_rank', a.kvLoraRank)
  const joined = legacyMla || !splitsKeyValueUp(keys.architecture)
  keys.u32('{arch}.attention.head_count_kv', joined ? a.nHeads : 1)
  keys.u32('{arch}.attention.key_length', joined ? key : a.kvLoraRank + a.qkRopeHeadDim)
  keys.u32('{arch}.attention.value_length', joined ? a.vHeadDim : a.kvLoraRank)
  if (joined) return
  keys.u32('{arch}.attention.key_length_mla', key)
  keys.u32('{arch}.attention.value_length_mla', a.vHeadDim)
}

/** llama.cpp computes MiniCPM3 on expanded keys only, and so its files have one layout. */
export function splitsKeyValueUp(architecture: string): boolean {
  return architecture === 'deepseek2'
}

/** Width of the dense layers; where there are none, llama.cpp wants a number all the same. */
function denseSize({ layers }: ModelConfig): number {
  const sizes = layers.map(({ mlp }) => (mlp.kind === 'dense' ? mlp.size : mlp.expertSize))
  return sizes[layers.findIndex(({ mlp }) => mlp.kind === 'dense')] ?? (sizes[0] as number)
}

function addExpertKeys(keys: GgufKeys, config: ModelConfig): void {
  const { layers, nLayers } = config
  const firstOfExperts = layers.findIndex(layer => layer.mlp.kind === 'moe')
  keys.u32('{arch}.leading_dense_block_count', firstOfExperts < 0 ? nLayers : firstOfExperts)
  const moe = layers[firstOfExperts]?.mlp
  if (moe?.kind !== 'moe') {
    keys.u32('{arch}.expert_shared_count', 0)
    keys.u32('{arch}.expert_feed_forward_length', denseSize(config))
    return
  }
  keys.u32('{arch}.expert_count', moe.nExperts)
  keys.u32('{arch}.expert_used_count', moe.topK)
  keys.u32('{arch}.expert_shared_count', moe.sharedSize / moe.expertSize)
  keys.u32('{arch}.expert_feed_forward_length', moe.expertSize)
  addRoutingKeys(keys, moe)
}

function addRoutingKeys(keys: GgufKeys, { scale, normalise, scoring, groups, topkGroups }: MoeConfig): void {
  keys.f32('{arch}.expert_weights_scale', scale)
  keys.bool('{arch}.expert_weights_norm', normalise || undefined)
  keys.u32('{arch}.expert_gating_func', scoring === 'sigmoid' ? SIGMOID : SOFTMAX)
  if (groups === 1) return
  keys.u32('{arch}.expert_group_count', groups)
  keys.u32('{arch}.expert_group_used_count', topkGroups)
}

function addWindowKeys(keys: GgufKeys, { layers }: ModelConfig): void {
  const window = layers.find(layer => layer.window !== null)?.window ?? null
  if (window === null) return
  keys.u32('{arch}.attention.sliding_window', window)
  if (keys.architecture !== 'gemma3') return
  const local = layers.map(layer => layer.window !== null)
  if (local.every((is, i) => is === ((i + 1) % GEMMA_PATTERN !== 0))) return
  keys.bools('{arch}.attention.sliding_window_pattern', local)
}

/** MiniCPM's; MiniCPM3's own files do without, because there is one model. */
function addScaleKeys(keys: GgufKeys, { embeddingScale, residualScale, logitScale }: ModelConfig): void {
  keys.f32('{arch}.embedding_scale', embeddingScale)
  keys.f32('{arch}.residual_scale', residualScale)
  keys.f32('{arch}.logit_scale', 1 / logitScale)
}
