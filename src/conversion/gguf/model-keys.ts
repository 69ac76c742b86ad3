/** A model's sizes and settings as llama.cpp's keys. */

import { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Architecture } from '../../families/gguf/architecture.ts'
import { denseSize } from '../../families/gguf/common.ts'
import type { GroupedAttentionConfig, LatentAttentionConfig } from '../../nn/attention/config.ts'
import { commonAttention, type ModelConfig } from '../../nn/config.ts'
import { addRopeKeys } from './rope-keys.ts'

export interface LayoutOptions {
  /** MLA with one `attn_kv_b`, as files were written before llama.cpp computed on the latent. Default false. */
  readonly legacyMla?: boolean
}

/** `predictions`: how many modules of multi-token prediction there are. */
export function modelKeys(
  config: ModelConfig,
  architecture: Architecture,
  layout: LayoutOptions,
  predictions = 0,
): GgufKeys {
  const keys = new GgufKeys(architecture.name)
  const shown = architecture.shownAttention?.(config)
  const attention = shown ?? commonAttention(config) ?? refuseMixed(config, architecture)
  keys.string('general.type', 'model')
  keys.u32('{arch}.block_count', config.nLayers + predictions)
  keys.u32('{arch}.nextn_predict_layers', predictions || undefined)
  keys.u32('{arch}.context_length', config.maxPositions)
  keys.u32('{arch}.embedding_length', config.hiddenSize)
  keys.u32('{arch}.feed_forward_length', denseSize(config))
  keys.u32('{arch}.attention.head_count', attention.nHeads)
  keys.f32(`{arch}.attention.layer_norm_${config.norm.kind === 'rms' ? 'rms_' : ''}epsilon`, config.norm.eps)
  keys.u32('{arch}.vocab_size', config.vocabSize)
  if (attention.kind === 'latent') addLatentKeys(keys, attention, layout.legacyMla || !architecture.splitsKeyValueUp)
  else addGroupedKeys(keys, attention)
  addRopeKeys(keys, config, architecture)
  addWindowKeys(keys, config)
  architecture.addKeys?.(keys, config, predictions)
  return keys
}

/** llama.cpp's architectures that are written here read one number of heads, and one size of them, for all layers. */
function refuseMixed({ layers }: ModelConfig, { name }: Architecture): never {
  const shown = layers.map(({ attention }) => Object.entries(attention).map(field => field.join(' ')))
  const other = shown.findIndex(fields => fields.join() !== shown[0]?.join())
  const only = (a: number, b: number) => shown[a]?.filter(field => !shown[b]?.includes(field)).join(', ')
  throw new UnsupportedModelError(
    `llama.cpp's architecture ${name} has one kind of attention for all layers, so a GGUF file cannot hold this model: layer 0 has ` +
      `${only(0, other)}, layer ${other} ${only(other, 0)}. A folder of safetensors can.`,
  )
}

function addGroupedKeys(keys: GgufKeys, { nKvHeads, headDim }: GroupedAttentionConfig): void {
  keys.u32('{arch}.attention.head_count_kv', nKvHeads)
  keys.u32('{arch}.attention.key_length', headDim)
  keys.u32('{arch}.attention.value_length', headDim)
}

/** The new layout describes the cache (one head of C + R numbers, whose first C are its value), the old one the heads. */
function addLatentKeys(keys: GgufKeys, a: LatentAttentionConfig, joined: boolean): void {
  const key = a.qkNopeHeadDim + a.qkRopeHeadDim
  keys.u32('{arch}.attention.q_lora_rank', a.qLoraRank ?? undefined)
  keys.u32('{arch}.attention.kv_lora_rank', a.kvLoraRank)
  keys.u32('{arch}.attention.head_count_kv', joined ? a.nHeads : 1)
  keys.u32('{arch}.attention.key_length', joined ? key : a.kvLoraRank + a.qkRopeHeadDim)
  keys.u32('{arch}.attention.value_length', joined ? a.vHeadDim : a.kvLoraRank)
  if (joined) return
  keys.u32('{arch}.attention.key_length_mla', key)
  keys.u32('{arch}.attention.value_length_mla', a.vHeadDim)
}

function addWindowKeys(keys: GgufKeys, { layers }: ModelConfig): void {
  keys.u32('{arch}.attention.sliding_window', layers.find(layer => layer.window !== null)?.window ?? undefined)
}
